// How long something has not changed, a picture or digital silence, and how long it did so lately:
// a programme has pauses of its own, a slide that stays or a commentator who says nothing. Pure;
// times are microseconds.
#pragma once

#include <cstdint>
#include <deque>

namespace relay::transcoder::live {

struct Standing {
  bool known = false;  // it has changed once
  std::int64_t still_us = 0;
  std::int64_t longest_us = 0;  // of those that are over, lately; 0: none worth noting
};

class Standstill {
 public:
  static constexpr std::int64_t noted_us = 400'000;           // a shorter one is none
  static constexpr std::int64_t remembered_us = 120'000'000;  // after its end

  /// It changed just now.
  void end(std::int64_t now_us);
  /// What follows has nothing to do with what was; pauses stay remembered.
  void forget() { known_ = false; }
  Standing at(std::int64_t now_us) const;

 private:
  struct Pause {
    std::int64_t end_us, length_us;
  };
  bool known_ = false;
  std::int64_t changed_us_ = 0;
  std::deque<Pause> pauses_;  // later ones are shorter
};

}  // namespace relay::transcoder::live
