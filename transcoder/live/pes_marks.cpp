#include "transcoder/live/pes_marks.hpp"

#include "common/media/ts_packet.hpp"

namespace relay::transcoder::live {

using media::ts_packet_bytes;

namespace {

constexpr std::size_t head_bytes = 4, adaptation_bytes = 2;
constexpr int null_pid = 0x1fff;

std::string packet_head(int pid, bool begins_unit, int kind, int continuity) {
  std::string head(1, static_cast<char>(media::ts_sync));
  head += static_cast<char>((begins_unit ? 0x40 : 0) | pid >> 8);
  head += static_cast<char>(pid);
  head += static_cast<char>(kind << 4 | continuity);
  return head;
}

/// A packet that begins a unit, filled up in front of `payload`. It says that the continuity begins
/// anew, so that its number may be that of the packet before.
std::string filled_packet(int pid, int continuity, std::string_view payload) {
  constexpr int adaptation_and_payload = 3;
  std::size_t filling = ts_packet_bytes - head_bytes - adaptation_bytes - payload.size();
  std::string packet = packet_head(pid, true, adaptation_and_payload, continuity);
  packet += static_cast<char>(1 + filling);
  packet += '\x80';
  packet.append(filling, '\xff');
  packet += payload;
  return packet;
}

std::string_view delimiter(PictureCoding coding) {
  using namespace std::string_view_literals;
  return coding == PictureCoding::h264 ? "\0\0\0\1\x09\xf0"sv : "\0\0\0\1\x46\x01\x50"sv;
}

}  // namespace

std::string end_of_pes(int pid, int continuity) {
  return filled_packet(pid, continuity, std::string_view("\0\0\1\xbe\0\0", 6));
}

std::string delimiter_before(std::string_view packets, PictureCoding coding) {
  media::TsPacket first(packets.substr(0, ts_packet_bytes));
  auto head = media::read_picture_head(first.payload());
  std::string_view times = head ? head->times : std::string_view();
  std::string_view unit = delimiter(coding);
  constexpr std::size_t time_bytes = 5, counted = 3;  // of its head
  std::string pes = std::string(first.payload().substr(0, 4));
  pes += '\0';
  pes += static_cast<char>(counted + times.size() + unit.size());
  pes += '\x80';
  pes += static_cast<char>(times.size() > time_bytes ? 0xc0 : times.empty() ? 0 : 0x80);
  pes += static_cast<char>(times.size());
  pes += times;
  pes += unit;
  int before = (first.continuity() + 15) & 15;
  return end_of_pes(first.pid(), before) + filled_packet(first.pid(), before, pes);
}

std::string null_packets() {
  constexpr int count = 10, payload_only = 1;
  std::string packets;
  for (int i = 0; i < count; ++i) {
    packets += packet_head(null_pid, false, payload_only, 0);
    packets.append(ts_packet_bytes - head_bytes, '\xff');
  }
  return packets;
}

}  // namespace relay::transcoder::live
