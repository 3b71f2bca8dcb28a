#include "transcoder/live/part_cutter.hpp"

#include <utility>

namespace relay::transcoder::live {

std::optional<Part> PartCutter::add(std::int64_t unit, Sample sample) {
  if (unit != next_unit_) part_.samples.clear();
  next_unit_ = unit + 1;
  if (part_.samples.empty()) {
    part_.number = grid_.part_of_unit(unit, units_);
    if (grid_.first_unit(part_.number, units_) != unit) return std::nullopt;
    end_unit_ = grid_.first_unit(part_.number + 1, units_);
  }
  part_.samples.push_back(std::move(sample));
  if (next_unit_ < end_unit_) return std::nullopt;
  return Part{part_.number, std::exchange(part_.samples, {})};
}

}  // namespace relay::transcoder::live
