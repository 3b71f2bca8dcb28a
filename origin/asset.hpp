// What the catalog keeps about one published thing, as values, and their JSON. Pure.
//
// Two JSON forms: the stored one (everything, read back by us) and the public one (DESIGN 3.4,
// for broadcasters, with addresses instead of our own bookkeeping).
#pragma once

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/error.hpp"
#include "common/media/job.hpp"
#include "common/media/playlist.hpp"

namespace relay::origin {

// Stored by their numbers: new ones come last.
enum class AssetKind { video, photo, channel, clip };
enum class AssetState { receiving, queued, processing, ready, failed, live };

const char* name(AssetKind kind);
const char* name(AssetState state);
std::optional<AssetKind> asset_kind(std::string_view name);

struct Rendition {
  std::string name;
  std::string codecs;
  int width = 0, height = 0;
  double frame_rate = 0;
  std::int64_t bandwidth = 0, average_bandwidth = 0;  // bit/s
};

/// Whether a clip's edges are where they were asked for, or at the edges of segments.
enum class Exactness { rough, pending, exact };  // stored by their numbers

/// What a clip was asked to be. Times are from the source's beginning, as it was then.
struct ClipFacts {
  std::string from, from_version;  // its source, which may be a clip too
  std::int64_t start_us = 0, end_us = 0;
  std::int64_t lead_in_us = 0;                // so long before start its first segments begin
  std::optional<std::int64_t> start_date_us;  // Unix time of start, of a source with dates
  Exactness exactness = Exactness::rough;
  std::string exact_error = {};  // why it stayed rough: a sentence for a broadcaster
  /// Of an exact one: the version before, which viewers may still play, and its lead-in.
  std::string rough_version = {};
  std::int64_t rough_lead_in_us = 0;
  std::string root = {};  // the video or channel that it goes back to
  /// Of an exact one whose ends were made: of its first picture and behind its last one.
  std::int64_t shown_start_us = 0, shown_end_us = 0;
};

struct Asset {
  std::string tenant, name;
  AssetKind kind = AssetKind::video;
  AssetState state = AssetState::queued;
  std::string title;
  std::vector<std::string> tags;
  std::string sha256;       // of the newest source, hexadecimal
  std::uint64_t bytes = 0;  // of the newest source
  WallTime created{}, updated{};
  std::string newest_version;   // what was uploaded last
  std::string current_version;  // what viewers get; empty: nothing yet
  std::vector<Rendition> renditions;
  std::vector<int> photo_widths;
  std::string error;  // when failed: a sentence for a broadcaster
  // Of the current version, as these are; `renditions` is too.
  int width = 0, height = 0;
  std::int64_t duration_ms = 0;
  std::vector<std::string> warnings;  // what was wrong with its source all the same
  // Its own source, for the newest one may be another; of a video.
  std::string current_sha256;
  std::uint64_t current_bytes = 0;
  bool current_whole = false;     // its job was done
  std::optional<ClipFacts> clip;  // of kind clip, and only of it
};

/// A clip whose end is still being made: viewers get what is there of it, and it grows.
inline bool is_growing(const Asset& asset) {
  return asset.clip && asset.state == AssetState::processing;
}

std::string to_stored(const Asset& asset);
Result<Asset> asset_from_stored(std::string_view json);

/// The public document. `progress` is of a running job.
boost::json::object to_public(const Asset& asset, const std::optional<media::Progress>& progress);

/// The renditions that a multivariant playlist names: video, audio, thumbnails.
std::vector<Rendition> renditions_of(const media::MultivariantPlaylist& playlist);

/// A name that no earlier version of any asset had: the time, then chance. Sorts by age; 13 of
/// 0-9 a-v.
std::string version_name(WallTime now, std::uint32_t random);

/// "2026-11-24T02:50:31.000Z" (RFC 3339).
std::string rfc3339(WallTime time);

}  // namespace relay::origin
