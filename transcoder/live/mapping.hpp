// From a publisher's clock to the channel's: when what comes in is shown. Pure; all times are
// microseconds.
//
// Both tracks of a stream are moved by one offset, so that they stay together. It is chosen once:
// what arrives is shown `delay` later. From there on only these change it:
//   * a clock that jumps (back, or far ahead of its arrival): its track is mapped anew; when the
//     other track makes the same jump it takes the same offset
//   * everything comes too late for a while, or earlier than needed: mapped anew, so that the
//     delay never grows
//   * drift: whole frames, one at a time
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "transcoder/track.hpp"

namespace relay::transcoder::live {

/// Timestamps of `bits` bits become 64 bits wide: each is taken for the one nearest to the one
/// before.
class Unwrapper {
 public:
  explicit Unwrapper(int bits) : bits_(bits) {}
  std::int64_t next(std::int64_t raw) {
    last_ = beside(raw);
    return *last_;
  }
  /// The same without going on: for a time that is near the last.
  std::int64_t beside(std::int64_t raw) const;

 private:
  int bits_;
  std::optional<std::int64_t> last_;
};

/// How far presentation lies from decoding in a stream that has it wrong. Decoding times are what
/// arrival is compared with, so they must be near the earliest presentation: in a sound stream some
/// picture of every few is shown when it is decoded or soon after. One whose pictures all are shown
/// seconds later, or before they are decoded, means other decoding times than it says.
class CompositionOffset {
 public:
  /// Of each picture, presentation less decoding time; what to add to its decoding time.
  std::int64_t next(std::int64_t composition_us);

 private:
  static constexpr std::size_t pictures = 32;
  std::array<std::int64_t, pictures> recent_{};
  std::size_t count_ = 0;
};

enum class Track { picture, sound };

struct MappingRules {
  std::int64_t delay_us = 150'000;    // from the arrival to the showing
  std::int64_t early_us = 2'000'000;  // earlier than the delay: the clock jumped or runs away
  std::int64_t back_us = 500'000;     // a step back by more is a jump
  std::int64_t window_us = 1'000'000;
  std::int64_t late_us = 300'000;   // nothing in time for so long: mapped anew
  std::int64_t sound_least_us = 0;  // sound that comes nearer to its time than this is not heard
  std::int64_t step_us = 200'000;   // earlier than the delay for a whole window: mapped anew
  Fraction rate{25, 1};             // of the channel's frames
};

class Mapping {
 public:
  explicit Mapping(MappingRules rules) : rules_(rules) {}

  bool begun() const { return begun_; }
  /// With what arrives now; a picture comes to stand on the grid of frames.
  void begin(std::int64_t dts, std::int64_t arrival);
  /// What to add to the times of a packet that arrived at `arrival`, for each in the order of
  /// their arrival.
  std::int64_t offset(Track track, std::int64_t dts, std::int64_t arrival);

  std::int64_t jumps() const { return jumps_; }
  /// How long the latest of both tracks waited before it was due, over the last window.
  std::int64_t lead_us() const { return lead_; }

 private:
  struct Line {
    bool seen = false;
    std::int64_t offset = 0, last_dts = 0;
    std::optional<std::int64_t> lead_max;    // in the window at hand
    std::optional<std::int64_t> late_since;  // arrival; none in time since
  };
  void map_anew(Track track, std::int64_t dts, std::int64_t arrival);
  void close_window(std::int64_t arrival);
  void begin_window(std::int64_t arrival);
  void shift(std::int64_t by);
  std::int64_t on_grid(std::int64_t time) const;
  std::int64_t frame_us() const;

  MappingRules rules_;
  bool begun_ = false;
  std::array<Line, 2> lines_;  // by Track
  std::int64_t window_begin_ = 0;
  std::int64_t drift_ = 0;  // of the window before, when it was above what is tolerated
  std::int64_t jumps_ = 0, lead_ = 0;
};

}  // namespace relay::transcoder::live
