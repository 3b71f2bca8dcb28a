// Gathers the samples of a rendition into the parts of the grid. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "transcoder/live/grid.hpp"
#include "transcoder/track.hpp"

namespace relay::transcoder::live {

struct Part {
  std::int64_t number = 0;  // as Grid counts them
  std::vector<Sample> samples;
};

class PartCutter {
 public:
  /// `grid` outlives this.
  PartCutter(const Grid& grid, Units units) : grid_(grid), units_(units) {}

  /// The part that became whole with this sample. Units come in order; where one is missing, what
  /// was gathered is dropped, and so are units until the next part begins.
  std::optional<Part> add(std::int64_t unit, Sample sample);

 private:
  const Grid& grid_;
  Units units_;
  std::int64_t next_unit_ = -1;
  std::int64_t end_unit_ = 0;  // of the part at hand
  Part part_;
};

}  // namespace relay::transcoder::live
