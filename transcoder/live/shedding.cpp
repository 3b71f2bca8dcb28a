#include "transcoder/live/shedding.hpp"

#include <algorithm>

namespace relay::transcoder::live {

int Shedding::at(std::int64_t now_us, std::int64_t encode_delay_us) {
  if (!started_) fine_at_ = uneasy_at_ = now_us;
  started_ = true;
  if (encode_delay_us <= rules_.bound_us || now_us < excused_until_us_)
    fine_at_ = std::max(fine_at_, now_us);
  if (encode_delay_us > rules_.bound_us / 2) uneasy_at_ = std::max(uneasy_at_, now_us);
  if (now_us - fine_at_ >= rules_.patience_us) shed(now_us);
  if (now_us - uneasy_at_ >= calm_needed_) take_back(now_us);
  return shed_;
}

void Shedding::shed(std::int64_t now_us) {
  fine_at_ = uneasy_at_ = now_us + rules_.settle_us;
  if (shed_ >= renditions_ - 1) return;
  ++shed_;
  bool too_soon = now_us - taken_back_at_ < 2 * calm_needed_;
  calm_needed_ = too_soon ? std::min(2 * calm_needed_, rules_.calm_max_us) : rules_.calm_us;
}

void Shedding::take_back(std::int64_t now_us) {
  uneasy_at_ = now_us;
  if (shed_ == 0) return;
  --shed_;
  taken_back_at_ = now_us;
}

}  // namespace relay::transcoder::live
