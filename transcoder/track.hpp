// What the pipeline hands to the packager: tracks, samples and whole segments. Pure, free of libav.
//
// Every track of a presentation counts on one clock that begins at `presentation_base_s`, so that
// no decode time is ever negative. Segment k of every track covers the same span of time: exactly
// for video, to the nearest audio frame for audio.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/error.hpp"

namespace relay::transcoder {

/// The presentation time of the first picture and the first sound, in seconds.
inline constexpr std::int64_t presentation_base_s = 10;

enum class Codec { h264, aac };

/// Of CEA-608 captions inside the pictures: bit n is CC(n+1).
using CaptionChannels = std::bitset<4>;

struct Fraction {
  std::int64_t numerator = 0;
  std::int64_t denominator = 1;
  double value() const { return static_cast<double>(numerator) / static_cast<double>(denominator); }
  friend bool operator==(const Fraction&, const Fraction&) = default;
};

struct TrackSpec {
  int track = 0;     // index that its segments carry; 0, 1, 2 … in the order of opening
  std::string name;  // its folder: "v720", "audio", "source"
  Codec codec = Codec::h264;
  bool video() const { return codec == Codec::h264; }
  std::int64_t timescale = 1;  // of all times of this track: ticks a second
  /// AVCDecoderConfigurationRecord (h264) or AudioSpecificConfig (aac).
  std::vector<std::uint8_t> extradata;
  std::int64_t bit_rate_max = 0;  // bit/s asked of the encoder; 0: copied, unknown
  // video
  int width = 0, height = 0;  // square pixels, upright
  Fraction frame_rate;        // constant
  // audio
  int sample_rate = 0;
  int channels = 0;
  std::string language;  // RFC 5646; "und" when the source does not say
};

/// One access unit. Times in the track's timescale. Video is length-prefixed (4 bytes), without
/// parameter sets; audio is a raw AAC frame.
struct Sample {
  std::int64_t dts = 0;
  std::int64_t pts = 0;  // never below dts
  std::int64_t duration = 0;
  bool sync = false;
  std::vector<std::uint8_t> data;
};

/// One whole segment; its first video sample is an IDR picture.
struct Segment {
  int track = 0;
  std::int64_t number = 0;      // 0, 1, 2 … without a gap in each track
  std::int64_t start = 0;       // presentation time of its first sample
  std::int64_t duration = 0;    // sum of the samples' durations; EXTINF
  bool last = false;            // nothing follows in this track
  std::vector<Sample> samples;  // in decode order, never empty
};

/// Small pictures of one segment, side by side in one JPEG. Times in 1/timescale seconds.
struct ThumbnailSheet {
  std::int64_t number = 0;  // of the segment; 0, 1, 2 … without a gap
  std::int64_t duration = 0;
  std::int64_t tile_duration = 0;  // of each tile; the last one lasts to the sheet's end
  std::int64_t timescale = 1;
  int tiles = 0;
  int tile_width = 0, tile_height = 0;
  bool last = false;  // nothing follows
  std::string jpeg;
};

/// What an earlier try already stored of a rendition.
struct AlreadyPublished {
  std::int64_t segments = 0;  // numbers 0 … segments-1 are done and must not be sent again
  bool ended = false;         // its playlist has its end
};

/// Where the pipeline's output goes: `Presentation` in the program, a recorder in tests.
/// Calls come one at a time, but from any thread of the pipeline; each may block to slow the
/// pipeline down. After an error the pipeline stops and returns that error.
class Sink {
 public:
  virtual ~Sink() = default;
  /// Asked before anything is opened. A rendition that is unknown has 0 segments.
  virtual AlreadyPublished published(const std::string& name) = 0;
  /// Before the first segment of the track, also when it goes on from an earlier try; a track
  /// that was already `ended` is opened too (the multivariant playlist needs it) and gets none.
  virtual Result<void> open_track(const TrackSpec& track) = 0;
  /// In order within a track. The first number of a track is published().segments.
  virtual Result<void> segment(Segment segment) = 0;
  /// In order, ahead of the segments of the same number.
  virtual Result<void> thumbnails(ThumbnailSheet sheet) = 0;
  /// The pictures speak captions on these channels; may be said again, with others.
  virtual Result<void> captions(CaptionChannels channels) = 0;
  /// Now and then; `fraction` never falls. Also the sign of life.
  virtual Result<void> progress(double fraction, const std::string& stage) = 0;
};

}  // namespace relay::transcoder
