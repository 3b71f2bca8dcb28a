#include "origin/live/ts_units.hpp"

#include <algorithm>

namespace relay::origin::live {
namespace {

constexpr char sync = 0x47;

unsigned byte_at(std::string_view packet, std::size_t index) {
  return static_cast<unsigned char>(packet[index]);
}

/// A packet that begins a picture which a decoder can begin with: random access indicator and a
/// PES of a video stream (ISO/IEC 13818-1 2.4.3.5, 2.4.3.7).
bool begins_key_picture(std::string_view packet) {
  bool starts_pes = byte_at(packet, 1) & 0x40, has_adaptation = byte_at(packet, 3) & 0x20;
  std::size_t adaptation = byte_at(packet, 4);
  if (!starts_pes || !has_adaptation || adaptation == 0) return false;
  std::size_t payload = 5 + adaptation;
  if (!(byte_at(packet, 5) & 0x40) || payload + 4 > packet.size()) return false;
  bool is_start = byte_at(packet, payload) == 0 && byte_at(packet, payload + 1) == 0 &&
                  byte_at(packet, payload + 2) == 1;
  return is_start && (byte_at(packet, payload + 3) & 0xf0) == 0xe0;
}

/// Where packets begin: a sync byte that is followed by another one packet on, or by the end.
std::size_t find_packet(std::string_view bytes) {
  constexpr std::size_t length = TsUnits::packet_bytes;
  for (std::size_t at = bytes.find(sync); at != bytes.npos; at = bytes.find(sync, at + 1)) {
    if (at + length >= bytes.size() || bytes[at + length] == sync) return at;
  }
  return bytes.size();
}

/// How many whole packets stand at the beginning: each is followed by another one, or by the end.
std::size_t packets_at(std::string_view bytes) {
  constexpr std::size_t length = TsUnits::packet_bytes;
  std::size_t end = 0;
  auto is_packet = [&] {
    bool is_whole = end + length <= bytes.size() && bytes[end] == sync;
    return is_whole && (end + length == bytes.size() || bytes[end + length] == sync);
  };
  while (is_packet()) end += length;
  return end / length;
}

}  // namespace

void TsUnits::give(std::string_view packets, const Take& take) const {
  std::size_t begin = 0;
  for (std::size_t at = 0; at < packets.size(); at += packet_bytes) {
    if (!begins_key_picture(packets.substr(at, packet_bytes))) continue;
    if (at > begin) take(packets.substr(begin, at - begin), Unit::other);
    take(packets.substr(at, packet_bytes), Unit::key_picture);
    begin = at + packet_bytes;
  }
  if (begin < packets.size()) take(packets.substr(begin), Unit::other);
}

Result<void> TsUnits::add(std::string_view bytes, const Take& take) {
  rest_.append(bytes);
  std::string_view left = rest_;
  while (left.size() >= packet_bytes) {
    std::size_t count = packets_at(left);
    if (count > 0) {
      give(left.substr(0, count * packet_bytes), take);
      left.remove_prefix(count * packet_bytes);
      skipped_ = 0;
      continue;
    }
    std::size_t skip = std::max<std::size_t>(find_packet(left), 1);
    left.remove_prefix(skip);
    skipped_ += skip;
    if (skipped_ > sync_bytes_max) return bad_input("what comes in is no MPEG transport stream");
  }
  rest_.erase(0, rest_.size() - left.size());
  return {};
}

}  // namespace relay::origin::live
