#include "transcoder/live/sample_ring.hpp"

#include <algorithm>

namespace relay::transcoder::live {

void SampleRing::write(std::int64_t at, const std::vector<float>& left,
                       const std::vector<float>& right) {
  auto room = static_cast<std::int64_t>(left_.size());
  auto count = static_cast<std::int64_t>(left.size());
  std::int64_t from = std::max({at, end_ - room, std::int64_t{0}});  // older ones have no place
  if (count == 0 || from >= at + count) return;
  if (at > end_ + room || begin_ == end_) begin_ = end_ = from;
  for (; end_ < from; ++end_) left_[slot(end_)] = right_[slot(end_)] = 0;
  for (std::int64_t i = from; i < at + count; ++i) {
    left_[slot(i)] = left[static_cast<std::size_t>(i - at)];
    right_[slot(i)] = right[static_cast<std::size_t>(i - at)];
  }
  end_ = std::max(end_, at + count);
  begin_ = std::max(begin_, end_ - room);
}

std::int64_t SampleRing::read(std::int64_t at, std::int64_t count, float* left,
                              float* right) const {
  std::fill_n(left, count, 0.0F);
  std::fill_n(right, count, 0.0F);
  std::int64_t from = std::max(at, begin_), to = std::min(at + count, end_);
  for (std::int64_t i = from; i < to; ++i) {
    left[i - at] = left_[slot(i)];
    right[i - at] = right_[slot(i)];
  }
  return std::max<std::int64_t>(to - from, 0);
}

}  // namespace relay::transcoder::live
