#include <algorithm>
#include <optional>
#include <utility>

#include "common/media/date.hpp"
#include "common/media/playlist.hpp"
#include "common/media/playlist_lines.hpp"

namespace relay::media {
namespace {

using namespace playlist_lines;

/// Tags of the other kind of playlist are errors (RFC 8216bis 4.1).
constexpr std::string_view multivariant_only[] = {
    "EXT-X-MEDIA",        "EXT-X-STREAM-INF", "EXT-X-I-FRAME-STREAM-INF", "EXT-X-IMAGE-STREAM-INF",
    "EXT-X-SESSION-DATA", "EXT-X-SESSION-KEY"};
/// Tags that change what the segments behind them are; skipping them would falsify the list.
constexpr std::string_view unsupported[] = {"EXT-X-BYTERANGE", "EXT-X-KEY", "EXT-X-SKIP",
                                            "EXT-X-I-FRAMES-ONLY"};

class MediaReader {
 public:
  using Playlist = MediaPlaylist;

  MediaReader() {
    playlist.version = 1;  // what a list without the tag is
    playlist.independent_segments = false;
  }

  Complaint take(const Tag& tag) {
    if (is_one_of(tag.name, multivariant_only)) {
      return fmt::format("#{} has no place in a media playlist", tag.name);
    }
    if (is_one_of(tag.name, unsupported)) return fmt::format("#{} is not supported", tag.name);
    if (tag.name == "EXTINF") return take_duration(tag);
    if (tag.name == "EXT-X-ENDLIST") return take_bare(tag, playlist.ended);
    if (tag.name == "EXT-X-GAP") return take_bare(tag, next_.gap);
    if (tag.name == "EXT-X-DISCONTINUITY") return take_bare(tag, next_.discontinuity);
    if (tag.name == "EXT-X-PROGRAM-DATE-TIME") return take_date(tag);
    return take_head(tag);
  }

  Complaint take_uri(std::string_view uri) {
    if (!duration_) return "a segment without #EXTINF before it";
    next_.uri = uri;
    next_.duration = *duration_;
    next_.timescale = 1'000'000;
    playlist.segments.push_back(std::exchange(next_, {}));
    longest_ = std::max(longest_, *duration_);
    duration_.reset();
    return std::nullopt;
  }

  Complaint finish() {
    if (duration_) return "#EXTINF without a segment behind it";
    if (!has_target_) return "#EXT-X-TARGETDURATION is missing";
    std::int64_t longest_s = (longest_ + 500'000) / 1'000'000;
    if (longest_s > playlist.target_duration_s) {
      return fmt::format("a segment lasts {} s, the target duration is {} s", longest_s,
                         playlist.target_duration_s);
    }
    return std::nullopt;
  }

  Playlist playlist;

 private:
  Complaint take_head(const Tag& tag) {
    Complaint complaint;
    if (tag.name == "EXT-X-VERSION") {
      complaint = take_once(has_version_, tag);
      return complaint ? complaint : take_small(tag, 1, playlist.version);
    } else if (tag.name == "EXT-X-TARGETDURATION") {
      complaint = take_once(has_target_, tag);
      return complaint ? complaint : take_small(tag, 1, playlist.target_duration_s);
    } else if (tag.name == "EXT-X-MEDIA-SEQUENCE") {
      return take_sequence(tag);
    } else if (tag.name == "EXT-X-PLAYLIST-TYPE") {
      return take_type(tag);
    } else if (tag.name == "EXT-X-INDEPENDENT-SEGMENTS") {
      return take_bare(tag, playlist.independent_segments);
    } else if (tag.name == "EXT-X-IMAGES-ONLY") {
      playlist.contents = Contents::images;
    } else if (tag.name == "EXT-X-TILES") {
      return take_tiles(tag);
    } else if (tag.name == "EXT-X-MAP") {
      return take_map(tag);
    }
    return std::nullopt;
  }

  bool before_segments() const { return playlist.segments.empty() && !duration_; }

  Complaint take_duration(const Tag& tag) {
    std::size_t comma = std::min(tag.value.find(','), tag.value.size());
    auto duration = decimal_millionths(tag.value.substr(0, comma));
    if (duration_) return "#EXTINF without a segment behind it";
    if (!duration || *duration == 0 || *duration > limits::segment_seconds_max * 1'000'000) {
      return fmt::format("#EXTINF needs a duration above 0 and up to {} s",
                         limits::segment_seconds_max);
    }
    duration_ = *duration;
    return std::nullopt;
  }

  Complaint take_sequence(const Tag& tag) {
    if (!before_segments()) return "#EXT-X-MEDIA-SEQUENCE behind the first segment";
    Complaint complaint = take_once(has_sequence_, tag);
    if (complaint) return complaint;
    constexpr std::int64_t most = 1ll << 53;
    return take_integer(tag, 0, most, playlist.media_sequence);
  }

  Complaint take_type(const Tag& tag) {
    if (playlist.type != PlaylistType::none) return "#EXT-X-PLAYLIST-TYPE stands twice";
    if (tag.value != "EVENT" && tag.value != "VOD") {
      return "#EXT-X-PLAYLIST-TYPE is neither EVENT nor VOD";
    }
    playlist.type = tag.value == "VOD" ? PlaylistType::vod : PlaylistType::event;
    return std::nullopt;
  }

  Complaint take_date(const Tag& tag) {
    next_.date_us = read_date(tag.value);
    if (!next_.date_us) return "#EXT-X-PROGRAM-DATE-TIME is no RFC 3339 date and time";
    return std::nullopt;
  }

  Complaint take_tiles(const Tag& tag) {
    auto attributes = AttributeList::read(tag.value);
    if (!attributes) return attributes.error().message;
    Tiles tiles;
    auto duration = decimal_millionths(attributes->word("DURATION").value_or(""));
    bool is_whole =
        duration && *duration > 0 &&
        take_sides(attributes->word("RESOLUTION").value_or(""), tiles.width, tiles.height) &&
        take_sides(attributes->word("LAYOUT").value_or(""), tiles.columns, tiles.rows);
    if (!is_whole) return "#EXT-X-TILES needs RESOLUTION, LAYOUT and DURATION";
    tiles.microseconds = *duration;
    auto skip = decimal_millionths(attributes->word("X-SKIP").value_or("0"));
    if (!skip) return "X-SKIP of #EXT-X-TILES is no time";
    tiles.skip_us = *skip;
    next_.tiles = tiles;
    return std::nullopt;
  }

  Complaint take_map(const Tag& tag) {
    auto attributes = AttributeList::read(tag.value);
    if (!attributes) return attributes.error().message;
    auto uri = attributes->quoted("URI");
    if (!uri || uri->empty()) return "#EXT-X-MAP needs URI=\"…\"";
    if (attributes->has("BYTERANGE")) return "BYTERANGE of #EXT-X-MAP is not supported";
    if (before_segments() && playlist.map_uri.empty()) {
      playlist.map_uri = *uri;
      return std::nullopt;
    }
    if (playlist.map_uri.empty() || !next_.discontinuity || duration_ || !next_.map_uri.empty()) {
      return "a further #EXT-X-MAP stands between #EXT-X-DISCONTINUITY and #EXTINF only";
    }
    next_.map_uri = *uri;
    return std::nullopt;
  }

  bool has_version_ = false, has_target_ = false, has_sequence_ = false;
  std::optional<std::int64_t> duration_;  // of the segment whose URI comes next
  MediaSegment next_;                     // its tags so far
  std::int64_t longest_ = 0;
};

}  // namespace

Result<MediaPlaylist> read_media_playlist(std::string_view text) {
  return read<MediaReader>(text);
}

}  // namespace relay::media
