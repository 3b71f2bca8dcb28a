#include "common/media/ts_packet.hpp"

namespace relay::media {

namespace {

std::uint8_t byte_at(std::string_view bytes, std::size_t index) {
  return static_cast<std::uint8_t>(bytes[index]);
}

}  // namespace

std::string_view TsPacket::payload() const {
  bool has_payload = (at(3) & 0x10) != 0;
  std::size_t begin = has_adaptation() ? std::size_t{5} + at(4) : 4;
  return has_payload && begin < bytes_.size() ? bytes_.substr(begin) : std::string_view();
}

bool TsPacket::stuffed() const {
  if (!has_adaptation()) return false;
  std::size_t length = at(4), used = 1;
  if (length == 0 || 5 + length > bytes_.size()) return length == 0;
  std::uint8_t has = flags();
  if (has == 0) return true;
  if (has & 0x10) used += 6;  // program clock reference
  if (has & 0x08) used += 6;  // the original one
  if (has & 0x04) used += 1;  // splice countdown
  for (std::uint8_t with_length : {0x02, 0x01})
    if ((has & with_length) && used < length) used += 1U + at(5 + used);
  return used < length;
}

bool begins_picture(std::string_view payload) {
  return payload.starts_with(std::string_view("\0\0\1", 3)) && payload.size() > 3 &&
         (byte_at(payload, 3) & 0xf0) == 0xe0;
}

std::optional<PictureHead> read_picture_head(std::string_view payload) {
  constexpr std::size_t fixed_bytes = 9, counted_from = 6, pes_time_bytes = 5;
  if (!begins_picture(payload) || payload.size() < fixed_bytes) return std::nullopt;
  if ((byte_at(payload, 6) & 0xc0) != 0x80) return std::nullopt;
  PictureHead head{.head_bytes = fixed_bytes + byte_at(payload, 8),
                   .scrambled = (byte_at(payload, 6) & 0x30) != 0};
  std::size_t length = std::size_t{byte_at(payload, 4)} << 8 | byte_at(payload, 5);
  if (head.head_bytes > payload.size()) return std::nullopt;
  constexpr std::uint8_t shown = 0x80, decoded = 0x40;
  std::size_t times = byte_at(payload, 7) & decoded ? 2 * pes_time_bytes : pes_time_bytes;
  bool timed = (byte_at(payload, 7) & shown) != 0 && fixed_bytes + times <= head.head_bytes;
  if (timed) head.times = payload.substr(fixed_bytes, times);
  if (counted_from + length > head.head_bytes)
    head.data_bytes = counted_from + length - head.head_bytes;
  return head;
}

}  // namespace relay::media
