#include "transcoder/live/grid.hpp"

#include "transcoder/sound_encoder.hpp"

namespace relay::transcoder::live {

std::int64_t Grid::part_of_frame(std::int64_t frame) const {
  std::int64_t segment = segment_of_frame(frame);
  std::int64_t inside = frame - first_frame_of_segment(segment);
  std::int64_t group = inside / setup_.group_frames;
  std::int64_t in_group = inside % setup_.group_frames;
  // Part p of a group begins at frame ceil(p × group_frames / parts_per_group).
  return first_part(segment) + group * setup_.parts_per_group +
         in_group * setup_.parts_per_group / setup_.group_frames;
}

std::int64_t Grid::first_unit(std::int64_t part, Units units) const {
  std::int64_t frame = first_frame(part);
  if (units.sound) return sound_frame_at(frame, {setup_.rate_numerator, setup_.rate_denominator});
  return (frame + units.step - 1) / units.step;
}

std::int64_t Grid::part_of_unit(std::int64_t unit, Units units) const {
  std::int64_t frame = unit * units.step;
  if (units.sound) frame = setup_.frame_at(unit * sound_frame * 1'000'000 / sound_rate);
  std::int64_t part = part_of_frame(frame);
  while (part > 0 && first_unit(part, units) > unit) --part;
  while (first_unit(part + 1, units) <= unit) ++part;
  return part;
}

}  // namespace relay::transcoder::live
