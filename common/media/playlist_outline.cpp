#include "common/media/playlist_outline.hpp"

#include <algorithm>

#include "common/media/playlist_lines.hpp"

namespace relay::media {
namespace {

using namespace playlist_lines;

/// Tags with which the references are not the whole truth.
constexpr std::string_view misleading[] = {"EXT-X-STREAM-INF", "EXT-X-I-FRAME-STREAM-INF",
                                           "EXT-X-I-FRAMES-ONLY", "EXT-X-SKIP", "EXT-X-DEFINE"};
constexpr std::string_view with_lasting[] = {"EXT-X-MAP", "EXT-X-KEY"};

class OutlineReader {
 public:
  using Playlist = PlaylistOutline;

  Complaint take(const Tag& tag) {
    if (is_one_of(tag.name, misleading)) return fmt::format("#{} is not supported", tag.name);
    if (is_one_of(tag.name, with_lasting)) return take_lasting(tag);
    if (tag.name == "EXT-X-MEDIA-SEQUENCE") return take_sequence(tag);
    if (tag.name == "EXT-X-TARGETDURATION") has_target_ = true;
    if (tag.name == "EXT-X-ENDLIST") playlist.ended = true;
    if (tag.name == "EXT-X-PLAYLIST-TYPE") playlist.only_grows = true;
    if (tag.name == "EXT-X-GAP") is_gap_ = true;
    return std::nullopt;
  }

  Complaint take_uri(std::string_view uri) {
    playlist.segments.emplace_back(std::exchange(is_gap_, false) ? std::string_view{} : uri);
    return std::nullopt;
  }

  Complaint finish() const {
    if (!has_target_) return "#EXT-X-TARGETDURATION is missing";
    return std::nullopt;
  }

  Playlist playlist;

 private:
  Complaint take_sequence(const Tag& tag) {
    constexpr std::int64_t most = 1ll << 53;
    if (!playlist.segments.empty()) return "#EXT-X-MEDIA-SEQUENCE behind the first segment";
    return take_integer(tag, 0, most, playlist.media_sequence);
  }

  Complaint take_lasting(const Tag& tag) {
    auto attributes = AttributeList::read(tag.value);
    if (!attributes) return attributes.error().message;
    auto uri = attributes->quoted("URI");
    if (uri && std::ranges::find(playlist.lasting, *uri) == playlist.lasting.end()) {
      playlist.lasting.emplace_back(*uri);
    }
    return std::nullopt;
  }

  bool has_target_ = false, is_gap_ = false;
};

}  // namespace

Result<PlaylistOutline> read_playlist_outline(std::string_view text) {
  return read<OutlineReader>(text);
}

}  // namespace relay::media
