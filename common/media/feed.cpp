#include "common/media/feed.hpp"

#include <fmt/format.h>

#include "common/base/big_endian.hpp"

namespace relay::media {
namespace {

bool is_format(unsigned value) {
  return value == static_cast<unsigned>(FeedFormat::flv) ||
         value == static_cast<unsigned>(FeedFormat::mpegts);
}

std::unexpected<Error> corrupt(std::string_view what, unsigned value) {
  return fail(ErrorKind::corrupt, ErrorSource::internal,
              fmt::format("feed: {} {} is none", what, value));
}

}  // namespace

const char* name(FeedSlot slot) {
  return slot == FeedSlot::primary ? "primary" : "backup";
}

const char* name(FeedFormat format) {
  switch (format) {
    case FeedFormat::flv:
      return "flv";
    case FeedFormat::mpegts:
      return "mpegts";
    case FeedFormat::none:
      break;
  }
  return "none";
}

std::string feed_frame(const FeedFrame& frame) {
  std::string bytes;
  bytes.reserve(feed_head_bytes + frame.payload.size());
  auto length = static_cast<std::uint32_t>(frame.payload.size());
  bytes += static_cast<char>(frame.slot);
  bytes += static_cast<char>(frame.kind);
  bytes += '\0';
  bytes += static_cast<char>(frame.format);
  append_big_endian(bytes, length, 4);
  bytes += frame.payload;
  return bytes;
}

std::string feed_begin(FeedSlot slot, FeedFormat format) {
  return feed_frame({slot, FeedFrame::Kind::begin, format, {}});
}

std::string feed_data(FeedSlot slot, std::string_view payload) {
  return feed_frame({slot, FeedFrame::Kind::data, FeedFormat::none, payload});
}

std::string feed_end(FeedSlot slot) {
  return feed_frame({slot, FeedFrame::Kind::end, FeedFormat::none, {}});
}

Result<std::optional<TakenFrame>> take_feed_frame(std::string_view bytes) {
  if (bytes.size() < feed_head_bytes) return std::nullopt;
  auto at = [&](std::size_t i) {
    return static_cast<unsigned>(static_cast<unsigned char>(bytes[i]));
  };
  unsigned slot = at(0), kind = at(1), format = at(2) << 8 | at(3);
  std::uint32_t length = big_endian(bytes.substr(4, 4));
  if (slot >= feed_slots) return corrupt("slot", slot);
  if (kind < 1 || kind > 3) return corrupt("kind", kind);
  bool begin = kind == static_cast<unsigned>(FeedFrame::Kind::begin);
  bool data = kind == static_cast<unsigned>(FeedFrame::Kind::data);
  if (begin ? !is_format(format) : format != 0) return corrupt("format", format);
  if (length > feed_payload_bytes_max || (data ? length == 0 : length != 0))
    return corrupt("length", length);
  if (bytes.size() - feed_head_bytes < length) return std::nullopt;
  TakenFrame taken;
  taken.frame = {static_cast<FeedSlot>(slot), static_cast<FeedFrame::Kind>(kind),
                 static_cast<FeedFormat>(format), bytes.substr(feed_head_bytes, length)};
  taken.bytes = feed_head_bytes + length;
  return taken;
}

}  // namespace relay::media
