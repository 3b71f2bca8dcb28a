#include "origin/live/ts_units.hpp"

#include <algorithm>

#include "common/media/ts_packet.hpp"

namespace relay::origin::live {
namespace {

using media::ts_packet_bytes;
using media::TsPacket;

constexpr char sync = media::ts_sync;

/// A packet that begins a picture which a decoder can begin with.
bool begins_key_picture(std::string_view bytes) {
  TsPacket packet(bytes);
  return packet.begins_unit() && packet.random_access() && media::begins_picture(packet.payload());
}

/// Where packets begin: a sync byte that is followed by another one packet on, or by the end.
std::size_t find_packet(std::string_view bytes) {
  for (std::size_t at = bytes.find(sync); at != bytes.npos; at = bytes.find(sync, at + 1)) {
    if (at + ts_packet_bytes >= bytes.size() || bytes[at + ts_packet_bytes] == sync) return at;
  }
  return bytes.size();
}

/// How many whole packets stand at the beginning: each is followed by another one, or by the end.
std::size_t packets_at(std::string_view bytes) {
  std::size_t end = 0;
  auto is_packet = [&] {
    bool is_whole = end + ts_packet_bytes <= bytes.size() && bytes[end] == sync;
    return is_whole &&
           (end + ts_packet_bytes == bytes.size() || bytes[end + ts_packet_bytes] == sync);
  };
  while (is_packet()) end += ts_packet_bytes;
  return end / ts_packet_bytes;
}

}  // namespace

void TsUnits::give(std::string_view packets, const Take& take) const {
  std::size_t begin = 0;
  for (std::size_t at = 0; at < packets.size(); at += ts_packet_bytes) {
    if (!begins_key_picture(packets.substr(at, ts_packet_bytes))) continue;
    if (at > begin) take(packets.substr(begin, at - begin), Unit::other);
    take(packets.substr(at, ts_packet_bytes), Unit::key_picture);
    begin = at + ts_packet_bytes;
  }
  if (begin < packets.size()) take(packets.substr(begin), Unit::other);
}

Result<void> TsUnits::add(std::string_view bytes, const Take& take) {
  rest_.append(bytes);
  std::string_view left = rest_;
  while (left.size() >= ts_packet_bytes) {
    std::size_t count = packets_at(left);
    if (count > 0) {
      give(left.substr(0, count * ts_packet_bytes), take);
      left.remove_prefix(count * ts_packet_bytes);
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
