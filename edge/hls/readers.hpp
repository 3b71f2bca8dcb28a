// How far the readers of one rendition are: which segments were read lately, which were looked
// after, and which were fetched ahead and wait for their reader. Bounded: a slot for each of so
// many neighbouring segments; one far away takes its slot over. Lock-free, any thread; knows no
// clock.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace relay::edge::hls {

class Readers {
 public:
  static constexpr std::size_t slots = 128;
  /// A reader who comes back to the next segment after this long begins anew.
  static constexpr std::uint32_t lately_s = 60;
  /// What was looked after need not be looked at again for so long.
  static constexpr std::uint32_t settled_s = 5;

  /// Somebody reads it. True: the one before it was read lately, so this goes through in sequence.
  bool read(std::int64_t sequence, std::uint32_t now_s);
  /// True for the first who asks within settled_s: to see to it that it is there.
  bool claim(std::int64_t sequence, std::uint32_t now_s);

  /// It was asked for ahead of its reader. True: another one has lost its place for it.
  bool expect(std::int64_t sequence);
  /// True: it was waited for, and is not any longer.
  bool meet(std::int64_t sequence);
  /// How many are waited for.
  std::size_t expected() const;

 private:
  using Slots = std::array<std::atomic<std::uint64_t>, slots>;
  static std::size_t slot_of(std::int64_t sequence) {
    return static_cast<std::uint64_t>(sequence) % slots;
  }
  static bool is_recent(std::uint64_t mark, std::int64_t sequence, std::uint32_t now_s,
                        std::uint32_t age_max_s);

  // Marks: the low half of the sequence number and the time in seconds; 0: none.
  Slots read_{}, claimed_{};
  Slots expected_{};  // the sequence number and one; 0: none
};

}  // namespace relay::edge::hls
