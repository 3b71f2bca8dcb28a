// When a machine that cannot keep up leaves out its dearest renditions, and when it takes them
// back. Pure; times are microseconds of the channel clock.
#pragma once

#include <cstdint>

namespace relay::transcoder::live {

struct SheddingRules {
  std::int64_t bound_us = 500'000;         // encoding further behind the clock than this …
  std::int64_t patience_us = 2'000'000;    // … for so long: one rendition more is left out
  std::int64_t settle_us = 6'000'000;      // before that shows: it ends with its segment
  std::int64_t calm_us = 15'000'000;       // well within the bound for so long: one is taken back
  std::int64_t calm_max_us = 600'000'000;  // each failure to take one back doubles the wait
};

class Shedding {
 public:
  Shedding(SheddingRules rules, int renditions) : rules_(rules), renditions_(renditions) {
    calm_needed_ = rules_.calm_us;
  }

  /// To be asked several times a second; how many of the dearest renditions to leave out. The
  /// cheapest one always stays.
  int at(std::int64_t now_us, std::int64_t encode_delay_us);
  /// What is behind up to this time has another reason, which passes.
  void excuse_until(std::int64_t time_us) { excused_until_us_ = time_us; }

 private:
  void shed(std::int64_t now_us);
  void take_back(std::int64_t now_us);

  SheddingRules rules_;
  int renditions_;
  int shed_ = 0;
  bool started_ = false;
  std::int64_t excused_until_us_ = INT64_MIN / 2;
  std::int64_t fine_at_ = 0;    // when it was within the bound the last time
  std::int64_t uneasy_at_ = 0;  // when it was not well within the bound the last time
  std::int64_t taken_back_at_ = INT64_MIN / 2;
  std::int64_t calm_needed_ = 0;
};

}  // namespace relay::transcoder::live
