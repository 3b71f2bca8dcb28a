#include "origin/live/rtmp/flv.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/big_endian.hpp"
#include "common/media/feed.hpp"

namespace relay::origin::live::rtmp {
namespace {

constexpr unsigned aac = 10;
constexpr unsigned h264 = 7;
constexpr unsigned key_frame = 1;
constexpr unsigned enhanced = 0x80;  // enhanced RTMP: a FourCC follows
constexpr std::size_t enhanced_head_bytes = 5;
constexpr std::size_t offset_bytes = 3;

/// PacketType of enhanced RTMP.
enum class EnhancedContent : std::uint8_t { head = 0, picture = 1, picture_at_once = 3 };

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
  unsigned codec = first & 0x0f;
  if (codec == h264) return "h264";
  return codec == media::flv_hevc ? "hevc" : fmt::format("video codec {}", codec);
}

bool is_enhanced(const Message& message) {
  return message.type == MessageType::video && (byte_at(message, 0) & enhanced) != 0;
}

bool is_key_picture(unsigned first) {
  return (first >> 4 & 0x07) == key_frame;
}

bool is_video_header(const Message& message) {
  unsigned codec = byte_at(message, 0) & 0x0f;  // enhanced: the content
  if (is_enhanced(message)) return codec == static_cast<unsigned>(EnhancedContent::head);
  bool has_head = codec == h264 || codec == media::flv_hevc;
  return has_head && message.payload.size() > 1 &&
         byte_at(message, 1) == static_cast<unsigned>(media::FlvContent::head);
}

/// An enhanced message in the form that FLV had before: codec, content, offset of composition (3
/// bytes; a picture "at once" has none). Other contents (colours, tracks) become an end, which
/// nobody minds.
std::string plain(std::string_view payload) {
  auto first = static_cast<unsigned char>(payload[0]);
  auto enhanced_content = static_cast<EnhancedContent>(first & 0x0f);
  bool has_offset = enhanced_content == EnhancedContent::picture;
  bool is_picture = has_offset || enhanced_content == EnhancedContent::picture_at_once;
  auto content = is_picture ? media::FlvContent::picture : media::FlvContent::end;
  if (enhanced_content == EnhancedContent::head) content = media::FlvContent::head;
  std::string out{static_cast<char>((first & 0x70) | media::flv_hevc), static_cast<char>(content)};
  if (!has_offset) out.append(offset_bytes, '\0');
  if (content == media::FlvContent::end) return out;
  return out.append(payload.substr(std::min(enhanced_head_bytes, payload.size())));
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
      if (is_video_header(message)) return TagRole::video_header;
      return is_key_picture(first) ? TagRole::key_picture : TagRole::other;
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
  std::string rewritten;
  if (is_enhanced(message)) payload = rewritten = plain(payload);
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
