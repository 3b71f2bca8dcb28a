// Which of a channel's two slots viewers see. Pure; times are microseconds of the channel clock.
//
// Both slots usually carry one programme, one of them some seconds behind. So a picture that stands
// still, or digital silence, is a fault at once only where the other slot moves, or sounds, all the
// while, and has had no pause of half that length lately: a pause of the programme comes in both.
// Where there is nothing better the slot's own patience counts.
#pragma once

#include <array>
#include <cstdint>

#include "common/media/live.hpp"
#include "transcoder/live/standstill.hpp"

namespace relay::transcoder::live {

struct Candidate {
  media::SlotState state = media::SlotState::absent;
  std::int64_t fresh_us = INT64_MIN / 2;  // when its newest picture was due
  bool was_fresh = false;  // since its stream began; before, its first picture is not due yet
  Standing picture, sound;
};

/// Pictures or sound came of it, and its publisher is there.
bool has_begun(media::SlotState state);

struct OnAirRules {
  std::int64_t hold_us = 1'000'000;    // without a new picture: lost
  bool return_to_primary = true;       // from a backup that is still well
  std::int64_t return_us = 5'000'000;  // … when the primary was well for so long
  std::int64_t better_us = 600'000;    // the other was better for so long: it takes over
  // Still for so long, or for twice the other's longest pause lately, while the other one stood
  // for less than `moving_us`: frozen, or silent. With `better_us` it is within a group of 2 s.
  std::int64_t still_us = 800'000;
  std::int64_t moving_us = 500'000;  // below better_us: one picture is no motion
};

/// A slot that moves and sounds is better than a silent one, that than a frozen one; a slot that
/// is lost or ended is left at once for one that is well, else its last picture is held.
class OnAir {
 public:
  using Slots = std::array<Candidate, media::feed_slots>;
  explicit OnAir(OnAirRules rules) : rules_(rules) {}

  /// To be asked every frame; the slot, or -1: none, for longer than the hold.
  int at(std::int64_t now_us, const Slots& slots);
  /// How the slots are beside one another; of at().
  const std::array<media::SlotState, media::feed_slots>& states() const { return states_; }
  /// From one slot to the other so far.
  std::int64_t switches() const { return switches_; }

 private:
  int choose(std::int64_t now_us, const Slots& slots);
  bool is_fresh(std::int64_t now_us, const Candidate& slot) const {
    return now_us - slot.fresh_us < rules_.hold_us;
  }
  media::SlotState judge(std::int64_t now_us, const Candidate& slot, const Candidate& other) const;
  bool stands_out(const Standing& slot, const Standing& other) const;

  OnAirRules rules_;
  std::array<media::SlotState, media::feed_slots> states_{};
  int slot_ = -1;
  int last_ = -1;  // the last that was on air
  std::int64_t switches_ = 0;
  std::int64_t not_better_ = 0;  // when the other one was not better the last time
  std::int64_t not_well_ = 0;    // when the primary was not as good the last time
};

}  // namespace relay::transcoder::live
