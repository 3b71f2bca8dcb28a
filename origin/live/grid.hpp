// The segments of a version on the wall clock (common/media/live.hpp). Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <utility>

#include "common/base/clock.hpp"
#include "common/media/live.hpp"

namespace relay::origin::live {

class Grid {
 public:
  Grid(std::int64_t epoch_ms, media::LiveSetup setup)
      : epoch_us_(epoch_ms * 1000), setup_(std::move(setup)) {}

  const media::LiveSetup& setup() const { return setup_; }
  /// Unix time in microseconds at which a segment begins; that of the next is its end.
  std::int64_t begin_us(std::int64_t segment) const {
    return epoch_us_ + setup_.microseconds_of(segment * setup_.segment_frames);
  }
  std::int64_t length_us(std::int64_t segment) const {
    return begin_us(segment + 1) - begin_us(segment);
  }
  /// The segment that is on at this time; below 0 before the epoch.
  std::int64_t segment_at(WallTime time) const {
    std::int64_t frame = setup_.frame_at(time.time_since_epoch().count() * 1000 - epoch_us_);
    return frame < 0 ? -1 : frame / setup_.segment_frames;
  }
  /// How long after the end of a segment this is.
  std::chrono::milliseconds lateness(std::int64_t segment, WallTime time) const {
    return time.time_since_epoch() - std::chrono::milliseconds(begin_us(segment + 1) / 1000);
  }

 private:
  std::int64_t epoch_us_;
  media::LiveSetup setup_;
};

}  // namespace relay::origin::live
