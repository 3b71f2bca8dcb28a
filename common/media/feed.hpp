// The stream from the origin to the transcoder of a channel: what publishers send, slot by slot, as
// frames of one byte stream (descriptor 3, a socket). Pure.
//
//   byte 0     slot: 0 primary, 1 backup
//   byte 1     kind: 1 begin, 2 data, 3 end
//   bytes 2-3  of a begin: the format, 1 FLV, 2 MPEG-TS; else 0
//   bytes 4-7  length of what follows, big-endian, at most payload_bytes_max; 0 unless data
//
// Every data frame holds whole units (an FLV header, an FLV tag, MPEG-TS packets of 188 bytes), so
// that a sender that must drop can drop frames. Between begin and end of a slot lies one
// publisher's stream from its first byte; a begin without an end before it replaces the stream that
// was there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/error.hpp"

namespace relay::media {

enum class FeedSlot : std::uint8_t { primary, backup };
inline constexpr std::size_t feed_slots = 2;
inline constexpr FeedSlot all_feed_slots[] = {FeedSlot::primary, FeedSlot::backup};
enum class FeedFormat : std::uint8_t { none, flv, mpegts };

/// The number of HEVC in FLV: not Adobe's, but in use before enhanced RTMP. In this stream HEVC has
/// no other.
inline constexpr unsigned flv_hevc = 12;
/// What a tag of pictures holds (AVCPacketType; HEVC has the same).
enum class FlvContent : std::uint8_t { head, picture, end };

const char* name(FeedSlot slot);
const char* name(FeedFormat format);

struct FeedFrame {
  enum class Kind : std::uint8_t { begin = 1, data, end };
  FeedSlot slot = FeedSlot::primary;
  Kind kind = Kind::data;
  FeedFormat format = FeedFormat::none;  // of a begin
  std::string_view payload;              // of data
};

inline constexpr std::size_t feed_head_bytes = 8;
inline constexpr std::size_t feed_payload_bytes_max = 4 << 20;  // an FLV tag holds a whole picture

/// Head and payload.
std::string feed_frame(const FeedFrame& frame);
std::string feed_begin(FeedSlot slot, FeedFormat format);
std::string feed_data(FeedSlot slot, std::string_view payload);
std::string feed_end(FeedSlot slot);

/// The frame at the beginning of `bytes` and how long it is there; nullopt: more bytes are needed.
/// Errors (kind corrupt): no such slot, kind or length; the stream is of no more use.
struct TakenFrame {
  FeedFrame frame;  // views into `bytes`
  std::size_t bytes = 0;
};
Result<std::optional<TakenFrame>> take_feed_frame(std::string_view bytes);

}  // namespace relay::media
