#include "origin/live/rtmp/flv.hpp"

#include <fmt/format.h>

#include "common/base/big_endian.hpp"

namespace relay::origin::live::rtmp {
namespace {

constexpr unsigned aac = 10;
constexpr unsigned h264 = 7;
constexpr unsigned key_frame = 1;
constexpr unsigned enhanced = 0x80;  // enhanced RTMP: a FourCC follows

unsigned byte_at(const Message& message, std::size_t at) {
  return at < message.payload.size() ? static_cast<unsigned char>(message.payload[at]) : 0u;
}

std::string video_codec(const Message& message) {
  unsigned first = byte_at(message, 0);
  if (first & enhanced) {
    std::string_view four = std::string_view(message.payload).substr(1, 4);
    if (four == "hvc1") return "hevc";
    if (four == "av01") return "av1";
    if (four == "vp09") return "vp9";
    return "an unknown codec of enhanced RTMP";
  }
  return (first & 0x0f) == h264 ? "h264" : fmt::format("video codec {}", first & 0x0f);
}

}  // namespace

std::string flv_codec(const Message& message) {
  if (message.payload.empty()) return {};
  if (message.type == MessageType::video) return video_codec(message);
  if (message.type != MessageType::audio) return {};
  unsigned format = byte_at(message, 0) >> 4;
  if (format == aac) return "aac";
  return format == 2 ? "mp3" : fmt::format("audio codec {}", format);
}

TagRole role_of(const Message& message) {
  unsigned first = byte_at(message, 0);
  bool configuration = message.payload.size() > 1 && byte_at(message, 1) == 0;
  switch (message.type) {
    case MessageType::data:
      return TagRole::metadata;
    case MessageType::audio:
      return first >> 4 == aac && configuration ? TagRole::audio_header : TagRole::other;
    case MessageType::video:
      if ((first & 0x0f) == h264 && configuration) return TagRole::video_header;
      return first >> 4 == key_frame ? TagRole::key_picture : TagRole::other;
    default:
      return TagRole::other;
  }
}

std::string flv_header() {
  constexpr char bytes[] = "FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00";
  return {bytes, sizeof bytes - 1};
}

std::string flv_tag(const Message& message) {
  // AMF: a string of 13 bytes.
  constexpr std::string_view set_data_frame{"\x02\x00\x0d@setDataFrame", 16};
  std::string_view payload = message.payload;
  if (message.type == MessageType::data && payload.starts_with(set_data_frame))
    payload.remove_prefix(set_data_frame.size());
  auto size = static_cast<std::uint32_t>(payload.size());
  std::string tag;
  tag.reserve(payload.size() + 15);
  tag += static_cast<char>(message.type);
  append_big_endian(tag, size, 3);
  append_big_endian(tag, message.timestamp_ms & 0xffffff, 3);
  append_big_endian(tag, message.timestamp_ms >> 24, 1);
  append_big_endian(tag, 0, 3);
  tag += payload;
  append_big_endian(tag, size + 11, 4);
  return tag;
}

}  // namespace relay::origin::live::rtmp
