// A cascade of scales: the source's picture in every size of the ladder, each made from the next
// larger one. The conversion to 8-bit 4:2:0 in limited range happens once, at the top.
#pragma once

#include <vector>

#include "common/base/error.hpp"
#include "transcoder/av.hpp"
#include "transcoder/ladder.hpp"

namespace relay::transcoder {

class Scaler {
 public:
  /// `sizes` as plan_ladder gives them: largest first.
  explicit Scaler(const std::vector<Rendition>& sizes);

  /// One picture a size. Where a size equals the one above, both share their bytes. Sizes from
  /// `needed` on down are left out (null): nobody shows them.
  Result<std::vector<av::Frame>> scale(const AVFrame& source, const std::vector<bool>& needed);

 private:
  struct Step {
    int width, height;
    av::Scaler scaler;
    int from_width = 0, from_height = 0, from_format = -1, from_range = -1;
  };
  Result<av::Frame> apply(Step& step, const AVFrame& from);
  Result<void> prepare(Step& step, const AVFrame& from);

  std::vector<Step> steps_;
};

}  // namespace relay::transcoder
