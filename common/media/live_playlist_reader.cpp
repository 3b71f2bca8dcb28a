#include "common/media/live_playlist_reader.hpp"

#include <utility>

#include "common/media/playlist_lines.hpp"

namespace relay::media {
namespace {

using namespace playlist_lines;

constexpr std::string_view not_of_live[] = {"EXT-X-STREAM-INF", "EXT-X-I-FRAME-STREAM-INF",
                                            "EXT-X-SKIP"};
constexpr std::int64_t sequence_max = 1ll << 53;

class LiveReader {
 public:
  Complaint take(const Line& line) {
    if (has_control_character(line.text)) return "a control character";
    bool is_remark = line.text.empty() || (line.text.starts_with('#') && !is_tag(line.text));
    mixed_ = mixed_ || (begin_ && is_remark);
    if (is_remark) return std::nullopt;
    if (!line.text.starts_with('#')) return take_uri(line);
    Tag tag = tag_of(line.text);
    if (is_one_of(tag.name, not_of_live)) return fmt::format("#{} is not supported", tag.name);
    bool is_own = is_of_segment(tag.name);
    if (is_own && !begin_) begin_ = line.begin;
    mixed_ = mixed_ || (begin_ && !is_own);
    return take_tag(tag);
  }

  Complaint finish() {
    if (outline.target_duration_s == 0) return "#EXT-X-TARGETDURATION is missing";
    outline.open_parts = parts_;
    outline.open_us = parts_us_;
    return std::nullopt;
  }

  LivePlaylistOutline outline;

 private:
  Complaint take_uri(const Line& line) {
    outline.segments.push_back(
        {begin_.value_or(line.begin), line.end, duration_us_, parts_, mixed_});
    begin_.reset();
    mixed_ = false;
    duration_us_ = parts_ = parts_us_ = 0;
    return std::nullopt;
  }

  Complaint take_tag(const Tag& tag) {
    if (tag.name == "EXT-X-MEDIA-SEQUENCE") return take_sequence(tag);
    if (tag.name == "EXT-X-TARGETDURATION")
      return take_integer(tag, 1, limits::segment_seconds_max, outline.target_duration_s);
    if (tag.name == "EXT-X-ENDLIST") outline.ended = true;
    if (tag.name == "EXTINF") return take_duration(tag);
    if (tag.name == "EXT-X-PART") return take_part(tag);
    if (tag.name == "EXT-X-PART-INF") return take_part_target(tag);
    if (tag.name == "EXT-X-SERVER-CONTROL") return take_control(tag);
    if (tag.name == "EXT-X-PRELOAD-HINT") return take_hint(tag);
    return std::nullopt;
  }

  Complaint take_sequence(const Tag& tag) {
    if (!outline.segments.empty()) return "#EXT-X-MEDIA-SEQUENCE behind the first segment";
    return take_integer(tag, 0, sequence_max, outline.media_sequence);
  }

  static Complaint take_us(std::string_view what, std::optional<std::string_view> text,
                           std::int64_t& into) {
    auto us = decimal_millionths(text.value_or(""));
    if (!us || *us > limits::segment_seconds_max * 1'000'000)
      return fmt::format("{} needs a number of seconds", what);
    into = *us;
    return std::nullopt;
  }

  Complaint take_duration(const Tag& tag) {
    return take_us("#EXTINF", tag.value.substr(0, tag.value.find(',')), duration_us_);
  }

  Complaint take_part(const Tag& tag) {
    auto attributes = AttributeList::read(tag.value);
    if (!attributes) return attributes.error().message;
    std::int64_t us = 0;
    if (auto wrong = take_us("DURATION", attributes->word("DURATION"), us)) return wrong;
    ++parts_;
    parts_us_ += us;
    return std::nullopt;
  }

  Complaint take_part_target(const Tag& tag) {
    auto attributes = AttributeList::read(tag.value);
    if (!attributes) return attributes.error().message;
    return take_us("PART-TARGET", attributes->word("PART-TARGET"), outline.part_target_us);
  }

  Complaint take_control(const Tag& tag) {
    auto attributes = AttributeList::read(tag.value);
    if (!attributes) return attributes.error().message;
    outline.can_block = attributes->word("CAN-BLOCK-RELOAD") == "YES";
    if (!attributes->has("CAN-SKIP-UNTIL")) return std::nullopt;
    return take_us("CAN-SKIP-UNTIL", attributes->word("CAN-SKIP-UNTIL"), outline.can_skip_us);
  }

  Complaint take_hint(const Tag& tag) {
    auto attributes = AttributeList::read(tag.value);
    if (!attributes) return attributes.error().message;
    if (attributes->word("TYPE") == "PART") outline.hint = attributes->quoted("URI").value_or("");
    return std::nullopt;
  }

  std::optional<std::size_t> begin_;  // of the segment that is being read
  bool mixed_ = false;
  std::int64_t duration_us_ = 0, parts_ = 0, parts_us_ = 0;
};

}  // namespace

LivePosition LivePlaylistOutline::next() const {
  return {media_sequence + static_cast<std::int64_t>(segments.size()), open_parts,
          segments.empty() ? 0 : segments.back().parts};
}

Result<LivePlaylistOutline> read_live_playlist(std::string_view text) {
  if (text.size() > limits::playlist_bytes_max) {
    return fail(ErrorKind::too_large, ErrorSource::client,
                fmt::format("a playlist of {} bytes; allowed are {}", text.size(),
                            limits::playlist_bytes_max));
  }
  LiveReader reader;
  Complaint complaint;
  std::size_t number = 0, begin = 0;
  while (!complaint && begin < text.size()) {
    Line line = line_at(text, begin);
    begin = line.end;
    if (++number > 1)
      complaint = reader.take(line);
    else if (line.text != "#EXTM3U")
      complaint = "a playlist begins with #EXTM3U";
  }
  if (number == 0) complaint = "the playlist is empty";
  if (!complaint) complaint = reader.finish();
  if (complaint) return bad_input(fmt::format("line {}: {}", number, *complaint));
  return std::move(reader.outline);
}

}  // namespace relay::media
