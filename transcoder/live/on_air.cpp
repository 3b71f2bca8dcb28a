#include "transcoder/live/on_air.hpp"

#include <algorithm>

namespace relay::transcoder::live {

namespace {

int rank(media::SlotState state, bool fresh) {
  if (!fresh) return 0;
  switch (state) {
    case media::SlotState::ready:
      return 3;
    case media::SlotState::silent:
      return 2;
    case media::SlotState::frozen:
      return 1;
    default:
      return 0;
  }
}

}  // namespace

bool has_begun(media::SlotState state) {
  using enum media::SlotState;
  return state == ready || state == frozen || state == silent || state == lost;
}

bool OnAir::stands_out(const Standing& slot, const Standing& other) const {
  if (!slot.known || !other.known || other.still_us >= rules_.moving_us) return false;
  return slot.still_us >= std::max(rules_.still_us, 2 * other.longest_us);
}

media::SlotState OnAir::judge(std::int64_t now_us, const Candidate& slot,
                              const Candidate& other) const {
  if (has_begun(slot.state) && !is_fresh(now_us, slot))
    return slot.was_fresh ? media::SlotState::lost : media::SlotState::starting;
  bool is_well = slot.state == media::SlotState::ready || slot.state == media::SlotState::silent;
  if (is_well && stands_out(slot.picture, other.picture)) return media::SlotState::frozen;
  if (is_well && stands_out(slot.sound, other.sound)) return media::SlotState::silent;
  return slot.state;
}

int OnAir::at(std::int64_t now_us, const Slots& slots) {
  states_ = {judge(now_us, slots[0], slots[1]), judge(now_us, slots[1], slots[0])};
  int chosen = choose(now_us, slots);
  if (chosen != slot_) not_better_ = not_well_ = now_us;
  if (chosen >= 0) {
    if (last_ >= 0 && chosen != last_) ++switches_;
    last_ = chosen;
  }
  return slot_ = chosen;
}

int OnAir::choose(std::int64_t now_us, const Slots& slots) {
  auto fresh = [&](std::size_t slot) { return is_fresh(now_us, slots[slot]); };
  std::array<int, 2> ranks = {rank(states_[0], fresh(0)), rank(states_[1], fresh(1))};
  if (slot_ < 0) {
    if (ranks[0] == 0 && ranks[1] == 0) return -1;
    return ranks[1] > ranks[0] ? 1 : 0;
  }
  auto mine = static_cast<std::size_t>(slot_), other = 1 - mine;
  if (ranks[mine] == 0) {
    if (ranks[other] > 0) return static_cast<int>(other);
    return fresh(mine) ? slot_ : -1;
  }
  if (ranks[other] <= ranks[mine]) not_better_ = now_us;
  if (now_us - not_better_ >= rules_.better_us) return static_cast<int>(other);
  if (ranks[0] < ranks[1] || ranks[0] == 0) not_well_ = now_us;
  bool back = rules_.return_to_primary && mine == 1;
  return back && now_us - not_well_ >= rules_.return_us ? 0 : slot_;
}

}  // namespace relay::transcoder::live
