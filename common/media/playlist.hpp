// HLS playlists as values: written and read here and nowhere else (RFC 8216bis-22). Pure.
//
// Written playlists follow Apple's authoring rules as far as they apply to what we publish.
// Read playlists may be hostile: unknown tags are skipped, everything else is checked, and an
// error names the line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"

namespace relay::media {

enum class PlaylistType { none, event, vod };
/// Segments as they are, pieces of them that show one picture each (EXT-X-I-FRAMES-ONLY), or sheets
/// of small pictures (EXT-X-IMAGES-ONLY of the HLS image media playlist specification 0.4, which
/// Roku's and Shaka's players read).
enum class Contents { whole, i_frames, images };

/// How a sheet is divided (EXT-X-TILES): row by row, each tile shown for so long, the last one to
/// the sheet's end.
struct Tiles {
  int width = 0, height = 0;  // of one tile, pixels
  int columns = 1, rows = 1;
  std::int64_t microseconds = 0;
  /// So far behind the first tile's begin the segment begins: a clip may begin within a sheet of
  /// its source. An attribute of our own, X-SKIP, which other players overlook.
  std::int64_t skip_us = 0;
};

struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

/// Exact time: count of 1/timescale seconds. EXTINF is printed from it with 6 decimals.
struct MediaSegment {
  std::string uri;            // "0.m4s"
  std::int64_t duration = 0;  // in 1/timescale seconds, above 0
  std::int64_t timescale = 1;
  std::optional<std::int64_t> date_us = {};  // Unix time of its first sample
  bool gap = false;                          // it can't be had
  bool discontinuity = false;                // its times do not go on where the one before ended
  std::string map_uri = {};                  // from here on; empty: the same as before
  std::optional<ByteRange> range = {};       // of the object at `uri`
  std::optional<Tiles> tiles = {};           // of a sheet
  /// Rounded to the nearest; what EXTINF says.
  std::int64_t microseconds() const;
  double seconds() const { return static_cast<double>(duration) / static_cast<double>(timescale); }
};

struct MediaPlaylist {
  int version = 7;  // 6 + EXT-X-MAP without I-FRAMES-ONLY wants 6; fMP4 players expect 7
  int target_duration_s = 6;
  std::int64_t media_sequence = 0;
  PlaylistType type = PlaylistType::none;
  Contents contents = Contents::whole;
  bool independent_segments = true;
  std::string map_uri;  // "init.mp4"; empty: no EXT-X-MAP
  /// Attributes of EXT-X-SERVER-CONTROL, of a channel's; empty: none. Written, never read.
  std::string server_control = {};
  /// Where players begin, from the first segment's begin (EXT-X-START with PRECISE=YES).
  std::optional<std::int64_t> start_us = {};
  std::vector<MediaSegment> segments;
  bool ended = false;
};

std::string write(const MediaPlaylist& playlist);
/// A duration read from text has timescale 1,000,000.
Result<MediaPlaylist> read_media_playlist(std::string_view text);

/// Why `next` may not follow `previous` (invariant 2: nothing taken back, target duration and map
/// constant, nothing after ENDLIST); nullopt when it may.
std::optional<std::string> why_not_extension(const MediaPlaylist& previous,
                                             const MediaPlaylist& next);

struct AudioRendition {
  std::string group_id;  // "audio"
  std::string name;      // "English" or "Main"
  std::string language;  // RFC 5646; "und" when unknown
  std::string uri;
  int channels = 2;
  bool is_default = true;
};

/// CEA-608 inside the pictures.
struct ClosedCaptions {
  std::string group_id;     // "captions"
  std::string name;         // "CC1" or "English"
  std::string language;     // RFC 5646; "und" when unknown
  std::string instream_id;  // "CC1" to "CC4"
};

struct Variant {
  std::string uri;
  std::int64_t bandwidth = 0;          // bit/s, peak of video and audio together, measured
  std::int64_t average_bandwidth = 0;  // bit/s
  std::string codecs;                  // "avc1.64001f,mp4a.40.2"
  int width = 0, height = 0;           // 0: audio only
  double frame_rate = 0;               // 0: leave out
  std::string audio_group;             // empty: none
  std::string captions_group;          // empty: nothing is said of captions
};

/// A playlist for trick play: of I-frames, or of images.
struct TrickVariant {
  std::string uri;
  std::int64_t bandwidth = 0, average_bandwidth = 0;  // bit/s, of the pictures that it names
  std::string codecs;                                 // of the picture alone; "jpeg"
  int width = 0, height = 0;
};

struct MultivariantPlaylist {
  int version = 7;
  bool independent_segments = true;
  std::vector<AudioRendition> audios;
  std::vector<ClosedCaptions> captions;
  std::vector<Variant> variants;
  /// One of `audios` as a variant, for who can load no picture in time (Apple 9.21: one that stays
  /// below 192 kbit/s). Not among `variants`, for it is no rendition more.
  std::optional<Variant> sound_only = {};
  std::vector<TrickVariant> i_frames, images;
};

std::string write(const MultivariantPlaylist& playlist);
/// A written multivariant playlist that says what it shows (EXT-X-SESSION-DATA, 8216bis 4.4.6.4;
/// the DATA-ID that Apple's players show). The title may be any text: what would end the string or
/// the line is replaced. Unchanged when the title is empty.
std::string with_title(std::string text, std::string_view title);
Result<MultivariantPlaylist> read_multivariant_playlist(std::string_view text);

}  // namespace relay::media
