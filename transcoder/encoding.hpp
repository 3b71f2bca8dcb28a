// The part of the settings that the pipeline reads: what to make and what to accept. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace relay::transcoder {

/// One line of the ladder. The picture is fitted into width × height (a portrait picture into
/// height × width), never enlarged.
struct LadderRung {
  std::int64_t width = 0;
  std::int64_t height = 0;
  std::int64_t kbit_s = 0;  // average; peaks stay below twice this
  bool half_rate = false;   // at most 30 pictures a second
};

struct Encoding {
  std::string preset = "veryfast";  // of x264
  double crf = 23;
  std::int64_t audio_kbit_s = 128;
  bool passthrough = true;  // publish a fitting source as it is, before any encode
  double passthrough_mbit_s_max =
      16;                    // the heaviest segment of a source that is published as it is
  std::int64_t workers = 0;  // encoding threads; 0: one a core
  /// Apple's H.264 ladder, one rung a size.
  std::vector<LadderRung> ladder = {
      {416, 234, 145, true},   {640, 360, 365, true},    {768, 432, 1100, true},
      {960, 540, 2000, false}, {1280, 720, 4500, false}, {1920, 1080, 7800, false},
  };
};

/// What is different for a live channel.
struct LiveEncoding {
  std::string preset = "veryfast";
  double crf = 23;
  std::int64_t rungs_max = 4;                    // of the ladder, evenly chosen
  std::int64_t workers = 0;                      // encoding threads; 0: one a core
  std::chrono::milliseconds delay{150};          // from a picture's arrival to its showing
  std::chrono::milliseconds frozen{10000};       // the same picture for so long
  std::chrono::milliseconds silent{10000};       // no sound, or none that can be heard
  std::chrono::milliseconds return_after{5000};  // a primary that is well again
};

/// What a source may ask of us at most.
struct SourceLimits {
  std::int64_t streams_max = 32;
  std::int64_t width_max = 8192;
  std::int64_t height_max = 4320;  // of a landscape picture; a portrait one is measured turned
  std::uint64_t probe_bytes = 8 << 20;
  std::chrono::milliseconds duration_max = std::chrono::hours(24);
  std::chrono::milliseconds wall_clock_max = std::chrono::hours(12);  // of the whole run
};

}  // namespace relay::transcoder
