#include <fmt/format.h>

#include <iterator>

#include "common/base/check.hpp"
#include "common/media/date.hpp"
#include "common/media/playlist.hpp"

namespace relay::media {
namespace {

/// Names may come from a source file's metadata: what would end the string or the line is replaced.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"') c = '\'';
    if (byte < 0x20 || byte == 0x7f) c = ' ';
    out += c;
  }
  return out + '"';
}

void check_line(std::string_view line) {
  RELAY_CHECK(line.find_first_of("\r\n") == line.npos);
}

std::string seconds_text(std::int64_t millionths) {
  return fmt::format("{}.{:06}", millionths / 1'000'000, millionths % 1'000'000);
}

void append_segment(std::string& text, const MediaSegment& segment) {
  check_line(segment.uri);
  if (segment.discontinuity) text += "#EXT-X-DISCONTINUITY\n";
  if (!segment.map_uri.empty()) text += "#EXT-X-MAP:URI=" + quoted(segment.map_uri) + "\n";
  if (segment.date_us) text += "#EXT-X-PROGRAM-DATE-TIME:" + date_text(*segment.date_us) + "\n";
  if (segment.gap) text += "#EXT-X-GAP\n";
  auto out = std::back_inserter(text);
  fmt::format_to(out, "#EXTINF:{},\n", seconds_text(segment.microseconds()));
  if (segment.range)
    fmt::format_to(out, "#EXT-X-BYTERANGE:{}@{}\n", segment.range->bytes, segment.range->offset);
  if (segment.tiles) {
    const Tiles& tiles = *segment.tiles;
    fmt::format_to(out, "#EXT-X-TILES:RESOLUTION={}x{},LAYOUT={}x{},DURATION={}", tiles.width,
                   tiles.height, tiles.columns, tiles.rows, seconds_text(tiles.microseconds));
    if (tiles.skip_us > 0) fmt::format_to(out, ",X-SKIP={}", seconds_text(tiles.skip_us));
    text += '\n';
  }
  fmt::format_to(out, "{}\n", segment.uri);
}

void append_audio(std::string& text, const AudioRendition& audio) {
  auto out = std::back_inserter(text);
  fmt::format_to(out, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID={},NAME={}", quoted(audio.group_id),
                 quoted(audio.name));
  if (!audio.language.empty()) fmt::format_to(out, ",LANGUAGE={}", quoted(audio.language));
  fmt::format_to(out, ",DEFAULT={},AUTOSELECT=YES", audio.is_default ? "YES" : "NO");
  fmt::format_to(out, ",CHANNELS=\"{}\"", audio.channels);
  if (!audio.uri.empty()) fmt::format_to(out, ",URI={}", quoted(audio.uri));
  text += '\n';
}

void append_captions(std::string& text, const ClosedCaptions& captions) {
  auto out = std::back_inserter(text);
  fmt::format_to(out, "#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID={},NAME={}",
                 quoted(captions.group_id), quoted(captions.name));
  if (!captions.language.empty()) fmt::format_to(out, ",LANGUAGE={}", quoted(captions.language));
  fmt::format_to(out, ",DEFAULT=NO,AUTOSELECT=YES,INSTREAM-ID={}\n", quoted(captions.instream_id));
}

/// What variants of every kind say.
void append_stream(std::string& text, std::string_view tag, const auto& variant) {
  auto out = std::back_inserter(text);
  fmt::format_to(out, "#{}:BANDWIDTH={}", tag, variant.bandwidth);
  if (variant.average_bandwidth > 0) {
    fmt::format_to(out, ",AVERAGE-BANDWIDTH={}", variant.average_bandwidth);
  }
  if (!variant.codecs.empty()) fmt::format_to(out, ",CODECS={}", quoted(variant.codecs));
  if (variant.width > 0) {
    fmt::format_to(out, ",RESOLUTION={}x{}", variant.width, variant.height);
  }
}

void append_variant(std::string& text, const Variant& variant) {
  check_line(variant.uri);
  append_stream(text, "EXT-X-STREAM-INF", variant);
  auto out = std::back_inserter(text);
  if (variant.frame_rate > 0) fmt::format_to(out, ",FRAME-RATE={:.3f}", variant.frame_rate);
  if (!variant.audio_group.empty()) fmt::format_to(out, ",AUDIO={}", quoted(variant.audio_group));
  if (!variant.captions_group.empty()) {
    fmt::format_to(out, ",CLOSED-CAPTIONS={}", quoted(variant.captions_group));
  }
  fmt::format_to(out, "\n{}\n", variant.uri);
}

void append_trick(std::string& text, std::string_view tag, const TrickVariant& variant) {
  append_stream(text, tag, variant);
  fmt::format_to(std::back_inserter(text), ",URI={}\n", quoted(variant.uri));
}

}  // namespace

std::string write(const MediaPlaylist& playlist) {
  std::string text = fmt::format(
      "#EXTM3U\n#EXT-X-VERSION:{}\n#EXT-X-TARGETDURATION:{}\n#EXT-X-MEDIA-SEQUENCE:{}\n",
      playlist.version, playlist.target_duration_s, playlist.media_sequence);
  if (!playlist.server_control.empty())
    text += "#EXT-X-SERVER-CONTROL:" + playlist.server_control + "\n";
  if (playlist.type == PlaylistType::event) text += "#EXT-X-PLAYLIST-TYPE:EVENT\n";
  if (playlist.type == PlaylistType::vod) text += "#EXT-X-PLAYLIST-TYPE:VOD\n";
  if (playlist.contents == Contents::i_frames) text += "#EXT-X-I-FRAMES-ONLY\n";
  if (playlist.contents == Contents::images) text += "#EXT-X-IMAGES-ONLY\n";
  if (playlist.independent_segments) text += "#EXT-X-INDEPENDENT-SEGMENTS\n";
  if (playlist.start_us) {
    text += "#EXT-X-START:TIME-OFFSET=" + seconds_text(*playlist.start_us) + ",PRECISE=YES\n";
  }
  if (!playlist.map_uri.empty()) text += "#EXT-X-MAP:URI=" + quoted(playlist.map_uri) + "\n";
  for (const MediaSegment& segment : playlist.segments) append_segment(text, segment);
  if (playlist.ended) text += "#EXT-X-ENDLIST\n";
  return text;
}

std::string write(const MultivariantPlaylist& playlist) {
  std::string text = fmt::format("#EXTM3U\n#EXT-X-VERSION:{}\n", playlist.version);
  if (playlist.independent_segments) text += "#EXT-X-INDEPENDENT-SEGMENTS\n";
  for (const AudioRendition& audio : playlist.audios) append_audio(text, audio);
  for (const ClosedCaptions& captions : playlist.captions) append_captions(text, captions);
  for (const Variant& variant : playlist.variants) append_variant(text, variant);
  if (playlist.sound_only) append_variant(text, *playlist.sound_only);
  for (const TrickVariant& variant : playlist.i_frames)
    append_trick(text, "EXT-X-I-FRAME-STREAM-INF", variant);
  for (const TrickVariant& variant : playlist.images)
    append_trick(text, "EXT-X-IMAGE-STREAM-INF", variant);
  return text;
}

std::string with_title(std::string text, std::string_view title) {
  constexpr std::string_view first_line = "#EXTM3U\n";
  if (title.empty() || !text.starts_with(first_line)) return text;
  return text.insert(
      first_line.size(),
      "#EXT-X-SESSION-DATA:DATA-ID=\"com.apple.hls.title\",VALUE=" + quoted(title) + "\n");
}

}  // namespace relay::media
