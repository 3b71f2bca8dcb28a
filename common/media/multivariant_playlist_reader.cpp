#include <algorithm>
#include <optional>

#include "common/media/playlist.hpp"
#include "common/media/playlist_lines.hpp"

namespace relay::media {
namespace {

using namespace playlist_lines;

/// Tags of the other kind of playlist are errors (RFC 8216bis 4.1).
constexpr std::string_view media_only[] = {"EXTINF",
                                           "EXT-X-TARGETDURATION",
                                           "EXT-X-MEDIA-SEQUENCE",
                                           "EXT-X-PLAYLIST-TYPE",
                                           "EXT-X-MAP",
                                           "EXT-X-ENDLIST",
                                           "EXT-X-BYTERANGE",
                                           "EXT-X-DISCONTINUITY",
                                           "EXT-X-KEY",
                                           "EXT-X-GAP",
                                           "EXT-X-PART",
                                           "EXT-X-SKIP",
                                           "EXT-X-DISCONTINUITY-SEQUENCE",
                                           "EXT-X-I-FRAMES-ONLY"};
class MultivariantReader {
 public:
  using Playlist = MultivariantPlaylist;

  MultivariantReader() {
    playlist.version = 1;
    playlist.independent_segments = false;
  }

  Complaint take(const Tag& tag) {
    if (is_one_of(tag.name, media_only)) {
      return fmt::format("#{} has no place in a multivariant playlist", tag.name);
    }
    if (tag.name == "EXT-X-VERSION") {
      Complaint complaint = take_once(has_version_, tag);
      return complaint ? complaint : take_small(tag, 1, playlist.version);
    } else if (tag.name == "EXT-X-INDEPENDENT-SEGMENTS") {
      return take_bare(tag, playlist.independent_segments);
    } else if (tag.name == "EXT-X-MEDIA") {
      return take_rendition(tag);
    } else if (tag.name == "EXT-X-STREAM-INF") {
      return take_variant(tag);
    } else if (tag.name == "EXT-X-I-FRAME-STREAM-INF") {
      return take_trick(tag, playlist.i_frames);
    } else if (tag.name == "EXT-X-IMAGE-STREAM-INF") {
      return take_trick(tag, playlist.images);
    }
    return std::nullopt;
  }

  Complaint take_uri(std::string_view uri) {
    if (!variant_) return "a playlist name without #EXT-X-STREAM-INF before it";
    variant_->uri = uri;
    playlist.variants.push_back(std::move(*variant_));
    variant_.reset();
    return std::nullopt;
  }

  Complaint finish() {
    if (variant_) return "#EXT-X-STREAM-INF without a playlist name behind it";
    set_sound_apart();
    if (playlist.variants.empty()) return "there is no #EXT-X-STREAM-INF";
    for (const Variant& variant : playlist.variants) {
      bool known = variant.audio_group.empty() ||
                   std::ranges::find(playlist.audios, variant.audio_group,
                                     &AudioRendition::group_id) != playlist.audios.end();
      if (!known) return fmt::format("no #EXT-X-MEDIA has GROUP-ID=\"{}\"", variant.audio_group);
      known = variant.captions_group.empty() ||
              std::ranges::find(playlist.captions, variant.captions_group,
                                &ClosedCaptions::group_id) != playlist.captions.end();
      if (!known) {
        return fmt::format("no #EXT-X-MEDIA has GROUP-ID=\"{}\"", variant.captions_group);
      }
    }
    return std::nullopt;
  }

  Playlist playlist;

 private:
  /// A variant that is a rendition too, beside others.
  void set_sound_apart() {
    if (playlist.variants.size() < 2) return;
    auto is_rendition = [&](const Variant& variant) {
      return std::ranges::find(playlist.audios, variant.uri, &AudioRendition::uri) !=
             playlist.audios.end();
    };
    auto sound = std::ranges::find_if(playlist.variants, is_rendition);
    if (sound == playlist.variants.end()) return;
    playlist.sound_only = std::move(*sound);
    playlist.variants.erase(sound);
  }

  Complaint take_rendition(const Tag& tag) {
    auto attributes = AttributeList::read(tag.value);
    if (!attributes) return attributes.error().message;
    auto type = attributes->word("TYPE");
    if (!type) return "#EXT-X-MEDIA needs TYPE";
    bool captions = *type == "CLOSED-CAPTIONS";
    if (*type != "AUDIO" && !captions) return std::nullopt;  // subtitles: not ours yet
    auto group = attributes->quoted("GROUP-ID"), name = attributes->quoted("NAME");
    if (!group || group->empty() || !name || name->empty()) {
      return "#EXT-X-MEDIA needs GROUP-ID=\"…\" and NAME=\"…\"";
    }
    std::string language(attributes->quoted("LANGUAGE").value_or(""));
    if (captions) {
      auto id = attributes->quoted("INSTREAM-ID");
      if (!id || id->empty()) return "closed captions need INSTREAM-ID=\"…\"";
      playlist.captions.push_back(
          {std::string(*group), std::string(*name), std::move(language), std::string(*id)});
      return std::nullopt;
    }
    AudioRendition audio;
    audio.group_id = *group;
    audio.name = *name;
    audio.language = std::move(language);
    audio.uri = attributes->quoted("URI").value_or("");
    audio.is_default = attributes->word("DEFAULT").value_or("NO") == "YES";
    // "6/JOC" and the like: the count comes first.
    std::string_view channels = attributes->quoted("CHANNELS").value_or("2");
    auto count = decimal_integer(channels.substr(0, channels.find('/')));
    constexpr std::int64_t channels_max = 64;
    if (!count || *count < 1 || *count > channels_max) return "CHANNELS is not a count";
    audio.channels = static_cast<int>(*count);
    playlist.audios.push_back(std::move(audio));
    return std::nullopt;
  }

  Complaint take_variant(const Tag& tag) {
    if (variant_) return "#EXT-X-STREAM-INF without a playlist name behind it";
    auto attributes = AttributeList::read(tag.value);
    if (!attributes) return attributes.error().message;
    Variant variant;
    auto rate = decimal_millionths(attributes->word("FRAME-RATE").value_or("0"));
    constexpr std::int64_t rate_max = 1000;
    if (!rate || *rate > rate_max * 1'000'000) return "FRAME-RATE is not a number up to 1000";
    variant.frame_rate = static_cast<double>((*rate + 500) / 1000) / 1000;
    variant.audio_group = attributes->quoted("AUDIO").value_or("");
    // Not quoted: NONE.
    variant.captions_group = attributes->quoted("CLOSED-CAPTIONS").value_or("");
    Complaint complaint = take_stream(tag, *attributes, variant);
    if (!complaint) variant_ = std::move(variant);
    return complaint;
  }

  static Complaint take_trick(const Tag& tag, std::vector<TrickVariant>& into) {
    auto attributes = AttributeList::read(tag.value);
    if (!attributes) return attributes.error().message;
    TrickVariant variant;
    variant.uri = attributes->quoted("URI").value_or("");
    if (variant.uri.empty()) return fmt::format("#{} needs URI=\"…\"", tag.name);
    Complaint complaint = take_stream(tag, *attributes, variant);
    if (!complaint) into.push_back(std::move(variant));
    return complaint;
  }

  /// What variants of every kind say.
  static Complaint take_stream(const Tag& tag, const AttributeList& attributes, auto& into) {
    auto bandwidth = decimal_integer(attributes.word("BANDWIDTH").value_or(""));
    if (!bandwidth) return fmt::format("#{} needs BANDWIDTH=number", tag.name);
    into.bandwidth = *bandwidth;
    auto average = decimal_integer(attributes.word("AVERAGE-BANDWIDTH").value_or("0"));
    if (!average) return "AVERAGE-BANDWIDTH is not a number";
    into.average_bandwidth = *average;
    into.codecs = attributes.quoted("CODECS").value_or("");
    return take_resolution(attributes, into);
  }

  static Complaint take_resolution(const AttributeList& attributes, auto& into) {
    auto text = attributes.word("RESOLUTION");
    if (text && !take_sides(*text, into.width, into.height))
      return "RESOLUTION is not written as 1920x1080";
    return std::nullopt;
  }

  bool has_version_ = false;
  std::optional<Variant> variant_;  // whose URI comes next
};

}  // namespace

Result<MultivariantPlaylist> read_multivariant_playlist(std::string_view text) {
  return read<MultivariantReader>(text);
}

}  // namespace relay::media
