#include "edge/cache/budget.hpp"

#include "common/base/check.hpp"

namespace relay::edge::cache {

void Budget::give_back(ShelfName shelf, std::uint64_t bytes) {
  RELAY_CHECK(live_[index(shelf)] >= bytes);
  live_[index(shelf)] -= bytes;
}

void Budget::bury(ShelfName shelf, std::uint64_t bytes) {
  RELAY_CHECK(live_[index(shelf)] >= bytes);
  live_[index(shelf)] -= bytes;
  buried_[index(shelf)] += bytes;
}

void Budget::free(ShelfName shelf, std::uint64_t bytes) {
  RELAY_CHECK(buried_[index(shelf)] >= bytes);
  buried_[index(shelf)] -= bytes;
}

bool Budget::small_is_full(std::uint64_t bytes) const {
  std::size_t small = index(ShelfName::small);
  return live_[small] + buried_[small] + bytes > small_share(size_bytes_);
}

bool Budget::fits(ShelfName shelf, std::uint64_t bytes) const {
  if (shelf == ShelfName::small && small_is_full(bytes)) return false;
  return live() + buried() + bytes <= size_bytes_;
}

std::uint64_t Budget::object_bytes_max(ShelfName shelf) const {
  return shelf == ShelfName::small ? small_share(size_bytes_) / 4 : size_bytes_ / 4;
}

std::optional<ShelfName> Budget::victim_shelf(ShelfName shelf, std::uint64_t bytes) const {
  if (shelf == ShelfName::small && small_is_full(bytes)) return ShelfName::small;
  return std::nullopt;
}

}  // namespace relay::edge::cache
