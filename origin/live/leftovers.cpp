#include "origin/live/leftovers.hpp"

#include <utility>

namespace relay::origin::live {

std::vector<Leftovers::Segments> Leftovers::take_due(SteadyTime now) {
  std::vector<Segments> due;
  auto end = by_due_.upper_bound(now);
  for (auto it = by_due_.begin(); it != end; ++it) due.push_back(std::move(it->second));
  by_due_.erase(by_due_.begin(), end);
  return due;
}

}  // namespace relay::origin::live
