// The byte budget: what is stored, what is buried (removed, but its pages are not free yet), and
// whether more fits. Pure; owned by the store thread.
//
// Small bodies never take more than a quarter of the size: their pages are too small to be worth a
// hole in the file when the mix changes (see round.cpp), so their environment keeps what it once
// took, and the files stay within 1.25 times the size and LMDB's own few per cent.
#pragma once

#include <array>
#include <cstdint>
#include <numeric>
#include <optional>

#include "edge/cache/layout.hpp"

namespace relay::edge::cache {

constexpr std::uint64_t small_share(std::uint64_t size_bytes) {
  return size_bytes / 4;
}

class Budget {
 public:
  explicit Budget(std::uint64_t size_bytes) : size_bytes_(size_bytes) {}

  void store(ShelfName shelf, std::uint64_t bytes) { live_[index(shelf)] += bytes; }
  /// Stored in the books only.
  void give_back(ShelfName shelf, std::uint64_t bytes);
  /// Removed from the index; still takes its pages.
  void bury(ShelfName shelf, std::uint64_t bytes);
  /// Its pages are being freed in this round.
  void free(ShelfName shelf, std::uint64_t bytes);
  /// The round failed: they are not free.
  void unfree(ShelfName shelf, std::uint64_t bytes) { buried_[index(shelf)] += bytes; }

  bool fits(ShelfName shelf, std::uint64_t bytes) const;
  /// Bodies above this are never stored: one must not empty the cache.
  std::uint64_t object_bytes_max(ShelfName shelf) const;
  /// The shelf to evict from so that `bytes` fit on `shelf`; none: any.
  std::optional<ShelfName> victim_shelf(ShelfName shelf, std::uint64_t bytes) const;
  /// Evicting more would only fill the graveyard: refuse to store instead.
  bool graveyard_full() const { return buried() > size_bytes_ / 4; }

  std::uint64_t live() const { return std::accumulate(live_.begin(), live_.end(), 0ull); }
  std::uint64_t buried() const { return std::accumulate(buried_.begin(), buried_.end(), 0ull); }
  std::uint64_t size() const { return size_bytes_; }

 private:
  static std::size_t index(ShelfName shelf) { return static_cast<std::size_t>(shelf); }
  bool small_is_full(std::uint64_t bytes) const;

  std::uint64_t size_bytes_;
  std::array<std::uint64_t, shelf_count> live_{};
  std::array<std::uint64_t, shelf_count> buried_{};
};

}  // namespace relay::edge::cache
