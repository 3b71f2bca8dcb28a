#include "common/base/spelling.hpp"

#include <algorithm>
#include <utility>

namespace relay {
namespace {

constexpr std::size_t longest_worth_comparing = 80;

/// Steps from one word to the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      std::size_t changed = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

std::string_view last_part(std::string_view name) {
  return name.substr(name.rfind('.') + 1);
}

}  // namespace

std::string nearest_name(std::string_view name, const std::vector<std::string>& known) {
  if (name.size() > longest_worth_comparing) return {};
  std::string_view last = last_part(name);
  std::size_t best_distance = std::max<std::size_t>(2, last.size() / 3) + 1;
  std::string best;
  for (const std::string& candidate : known) {
    std::size_t far = std::min(distance(name, candidate), distance(last, last_part(candidate)) + 1);
    if (far >= best_distance) continue;
    best_distance = far;
    best = candidate;
  }
  return best;
}

}  // namespace relay
