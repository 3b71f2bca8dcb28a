#include "common/media/bit_rate.hpp"

#include <algorithm>
#include <cmath>
#include <ranges>

namespace relay::media {

void BitRate::add(std::uint64_t bytes, double duration_s) {
  if (duration_s <= 0) return;
  recent_.push_back({8.0 * static_cast<double>(bytes), duration_s});
  bits_ += recent_.back().bits;
  seconds_ += duration_s;
  // Every run that ends with the new segment, from the shortest to the longest.
  double bits = 0, seconds = 0;
  std::size_t used = 0;
  for (const Piece& piece : std::views::reverse(recent_)) {
    bits += piece.bits;
    seconds += piece.seconds;
    if (seconds > 1.5 * target_duration_s_) break;
    ++used;
    if (seconds >= 0.5 * target_duration_s_) peak_ = std::max(peak_, bits / seconds);
  }
  while (recent_.size() > used + 1) recent_.pop_front();
}

std::int64_t BitRate::peak() const {
  if (peak_ <= 0) return average();
  return static_cast<std::int64_t>(std::ceil(peak_));
}

std::int64_t BitRate::average() const {
  return seconds_ > 0 ? static_cast<std::int64_t>(std::ceil(bits_ / seconds_)) : 0;
}

}  // namespace relay::media
