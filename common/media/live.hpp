// What origin and transcoder of a live channel tell each other, besides common/media/job.hpp (whose
// descriptors and requests are used) and feed.hpp (descriptor 3). Pure.
//
// The channel clock. A version of a channel has an epoch on the wall clock and a grid of frames at
// a constant rate: frame f is shown at epoch + f / rate, segment n begins at frame n ×
// segment_frames and part p of it at part_frame(p). All numbers follow from the wall clock, so
// whoever starts again, publisher, transcoder or origin, goes on at the number of the moment. Media
// time (tfdt) of frame f is base + f / rate with the base of every presentation (10 s);
// EXT-X-PROGRAM-DATE-TIME of segment n is epoch + n × segment_frames / rate.
//
// A transcoder of a channel (Job::kind live) sends on descriptor 4, in this order:
//   PUT /live/setup    JSON of a LiveSetup: once, when it knows its first publisher's picture and
//                      sound. When the job brought a setup it is the same again, whatever the
//                      publisher sends now: a version's renditions never change.
//   PUT /media/{rendition}/init.mp4, PUT /media/index.m3u8 as in job.hpp, before any part
//   PUT /live/{rendition}/{n}.{p}.m4s?ticks=D&independent=0|1&last=0|1
//                      a part with its digest, D its duration in the rendition's timescale; `last`
//                      ends segment n; with one that begins a group where its key picture lies
//                      (key_picture.hpp). In order within a rendition. Parts and segments that are
//                      not sent are gaps: the origin knows by the clock.
//   PUT /live/status   JSON of a LiveStatus, at least once a second; the sign of life
//   PUT /live/thumbnails/{n}.0.m4s?ticks=D&last=1
//                      a sheet of small pictures of segment n, a JPEG: if the setup has tiles. It
//                      is a segment of one part like others; viewers find it at {n}.jpg
// It runs until descriptor 3 ends (then it finishes the part at hand, sends PUT /result and exits
// with 0) or it is killed. It never blocks on a publisher: when no slot gives pictures it holds the
// last picture for `hold_ms`, then makes slate or, if Channel says so, nothing from the next
// segment on. What was begun is made whole: with slate behind the last picture, with the first
// picture in front of it, and what a killed transcoder left is taken up (LiveJob::begun).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"
#include "common/media/date.hpp"
#include "common/media/feed.hpp"

namespace relay::media {

inline constexpr std::int64_t live_status_each_us = us_per_s;

enum class Between { gap, slate };  // what stands in the playlist while nobody publishes
const char* name(Between between);
/// Of "gap" or "slate"; nullopt: neither.
std::optional<Between> between_from(std::string_view text);

/// Constants of one version of a channel; chosen by the origin.
struct LiveChannel {
  std::int64_t epoch_ms = 0;  // Unix time of frame 0
  std::int64_t part_target_ms = 500;
  std::int64_t group_ms = 2000;    // between key pictures
  std::int64_t segment_ms = 4000;  // a multiple of group_ms
  // Caps of the ladder; 0: as the transcoder has it.
  std::int64_t rungs_max = 0;
  std::int64_t height_max = 0;  // of the shorter side, pixels; one rendition stays
  Between between = Between::gap;
  bool return_to_primary = true;  // when it is well again
  std::int64_t hold_ms = 1000;  // without a picture from the slot on air: the other one takes over
};

/// The folder of a thumbnail track, and its name in the multivariant playlist.
inline constexpr std::string_view thumbnails_name = "thumbnails";
/// What holds segment `number` of a rendition: "v720/3.m4s", "thumbnails/3.jpg".
std::string segment_object(std::string_view rendition, std::int64_t number);
/// 12 of "v720/12.m4s"; nullopt: it has no number, as an init.
std::optional<std::int64_t> number_in(std::string_view object);

/// One rendition of a version, as the transcoder decided it.
struct LiveRendition {
  std::string name;  // "v720", "audio"
  bool video = true;
  std::int64_t timescale = 1;
  int width = 0, height = 0;
  std::int64_t kbit_s = 0;
  int frame_step = 1;  // 2: every second frame
};

/// What the first publisher decided, for all who come later.
struct LiveSetup {
  std::int64_t rate_numerator = 25, rate_denominator = 1;  // frames a second; 25 without a picture
  std::int64_t group_frames = 50;
  std::int64_t segment_frames = 100;
  std::int64_t parts_per_group = 4;
  std::vector<LiveRendition> renditions;  // dearest first, the sound last
  /// Of a thumbnail, of which there is one a group; 0: there are none.
  int tile_width = 0, tile_height = 0;

  /// The first frame of part p of a segment, counted from the segment's first; p may be the number
  /// of parts: the segment's end.
  std::int64_t part_frame(std::int64_t part) const;
  std::int64_t parts_per_segment() const;
  /// EXT-X-TARGETDURATION: a segment's seconds, rounded up.
  std::int64_t target_duration_s() const;
  /// PART-TARGET: the longest part of any rendition, milliseconds rounded up; a sound's part may
  /// be one AAC frame longer than its pictures.
  std::int64_t part_target_ms() const;
  /// From the epoch to frame `frame`, in microseconds, rounded to the nearest.
  std::int64_t microseconds_of(std::int64_t frame) const;
  /// The last frame that has begun `microseconds` after the epoch.
  std::int64_t frame_at(std::int64_t microseconds) const;
};

/// The grid for a rate: group and segment lengths in whole frames, nearest to what was asked, the
/// group even when `halving`; as many parts as asked, or the next number that makes them alike
/// enough.
LiveSetup live_grid(const LiveChannel& channel, std::int64_t rate_numerator,
                    std::int64_t rate_denominator, bool halving);

/// How far an earlier transcoder was with a rendition: everything before part `part` of `segment`
/// is there.
struct LiveBegun {
  std::string rendition;
  std::int64_t segment = 0, part = 0;
};

/// Part of a job for a channel.
struct LiveJob {
  LiveChannel channel;
  std::optional<LiveSetup> setup;  // of an earlier start
  std::int64_t first_segment = 0;  // the first that may still be made from its begin
  /// A segment that was left half done, to be made whole: where each rendition goes on. Those that
  /// are not named begin behind it.
  std::vector<LiveBegun> begun;
};

/// Lost: somebody publishes there, but no picture came for the hold.
enum class SlotState { absent, starting, ready, frozen, silent, failed, lost };
const char* name(SlotState state);

struct SlotStatus {
  SlotState state = SlotState::absent;
  std::string error;                // of failed: a sentence for a broadcaster
  std::string video, audio;         // "h264 1920x1080 50/1", "aac 48000 2"; empty: none
  std::int64_t delay_ms = 0;        // how long a picture has waited before it was shown
  std::int64_t dropped_frames = 0;  // of this publisher: came too late or too many
  std::int64_t jumps = 0;           // times that its clock jumped
};

inline constexpr std::int64_t live_switches_max = std::int64_t{1} << 53;
inline constexpr std::int64_t live_encode_delay_max_ms = 3'600'000;

struct LiveStatus {
  std::array<SlotStatus, feed_slots> slots;
  int on_air = -1;                   // the slot; -1: none, `between` is shown
  std::int64_t switches = 0;         // from one slot to the other
  std::vector<std::string> shed;     // renditions that this machine cannot make now
  std::int64_t encode_delay_ms = 0;  // from the moment that a frame stands for to its encoding
};

std::string to_json(const LiveSetup& setup);
Result<LiveSetup> live_setup_from_json(std::string_view json);
std::string to_json(const LiveStatus& status);
Result<LiveStatus> live_status_from_json(std::string_view json);

}  // namespace relay::media
