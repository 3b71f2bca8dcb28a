// What is asked for how often: a count-min sketch of four rows with conservative update, aged by
// halving. Fixed in size, so that no crowd of keys makes it grow; a key is counted too high by
// collisions only, never too low. Pure; not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace relay::edge::fleet {

class Demand {
 public:
  Demand();
  void add(std::uint64_t key_hash);
  /// Of that key, with earlier ones halved as often as halve() was called since.
  std::uint32_t count(std::uint64_t key_hash) const;
  /// Of all keys, aged likewise.
  std::uint64_t total() const { return total_; }
  /// The part of all that this key is, 0 to 1; 0 before anything was counted.
  double share(std::uint64_t key_hash) const;
  void halve();

 private:
  static constexpr std::size_t rows = 4;
  /// 128 KiB in all. A key may be a fortieth of a per cent too high in the mean (1 / columns, one
  /// row); at 200 members a hot key has twice that.
  static constexpr unsigned column_bits = 13;
  using Places = std::array<std::size_t, rows>;
  static Places places(std::uint64_t key_hash);

  std::uint64_t total_ = 0;
  std::vector<std::uint32_t> counters_;
};

}  // namespace relay::edge::fleet
