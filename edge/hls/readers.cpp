#include "edge/hls/readers.hpp"

#include <algorithm>

namespace relay::edge::hls {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;

std::uint64_t mark_of(std::int64_t sequence, std::uint32_t now_s) {
  return static_cast<std::uint64_t>(sequence) << 32 | now_s;
}

}  // namespace

bool Readers::is_recent(std::uint64_t mark, std::int64_t sequence, std::uint32_t now_s,
                        std::uint32_t age_max_s) {
  bool same = mark >> 32 == (static_cast<std::uint64_t>(sequence) & 0xffffffff);
  // Another thread's clock may be a second ahead: its mark is recent too.
  auto age_s = static_cast<std::int64_t>(now_s) - static_cast<std::int64_t>(mark & 0xffffffff);
  return mark != 0 && same && age_s <= age_max_s;
}

bool Readers::read(std::int64_t sequence, std::uint32_t now_s) {
  read_[slot_of(sequence)].store(mark_of(sequence, now_s), relaxed);
  std::int64_t before = sequence - 1;
  return sequence > 0 && is_recent(read_[slot_of(before)].load(relaxed), before, now_s, lately_s);
}

bool Readers::claim(std::int64_t sequence, std::uint32_t now_s) {
  auto& slot = claimed_[slot_of(sequence)];
  std::uint64_t mark = slot.load(relaxed);
  if (is_recent(mark, sequence, now_s, settled_s)) return false;
  return slot.compare_exchange_strong(mark, mark_of(sequence, now_s), relaxed);
}

bool Readers::expect(std::int64_t sequence) {
  std::uint64_t mark = static_cast<std::uint64_t>(sequence) + 1;
  std::uint64_t other = expected_[slot_of(sequence)].exchange(mark, relaxed);
  return other != 0 && other != mark;
}

bool Readers::meet(std::int64_t sequence) {
  std::uint64_t mark = static_cast<std::uint64_t>(sequence) + 1;
  auto& slot = expected_[slot_of(sequence)];
  return slot.load(relaxed) == mark && slot.compare_exchange_strong(mark, 0, relaxed);
}

std::size_t Readers::expected() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(expected_, [](const auto& slot) { return slot.load(relaxed) != 0; }));
}

}  // namespace relay::edge::hls
