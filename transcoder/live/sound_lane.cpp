#include "transcoder/live/sound_lane.hpp"

#include <utility>

namespace relay::transcoder::live {

Result<SoundLane> SoundLane::open(std::int64_t kbit_s, const Grid& grid, PartOutput& output) {
  auto encoder = SoundEncoder::open(kbit_s);
  if (!encoder) return std::unexpected(encoder.error());
  return SoundLane(kbit_s, grid, output, encoder->track());
}

void SoundLane::push(const float* left, const float* right, std::int64_t number) {
  if (number != next_) {
    auto opened = SoundEncoder::open(kbit_s_, number);
    if (!opened) return output_->fail_with(opened.error());
    encoder_.emplace(std::move(*opened));
  }
  next_ = number + 1;
  std::deque<Sample> done;
  if (auto pushed = encoder_->push(left, right, done); !pushed)
    return output_->fail_with(pushed.error());
  for (Sample& sample : done) {
    std::int64_t unit = (sample.pts - presentation_base_s * sound_rate) / sound_frame;
    if (auto part = cutter_.add(unit, std::move(sample))) output_->send(track_, std::move(*part));
  }
}

}  // namespace relay::transcoder::live
