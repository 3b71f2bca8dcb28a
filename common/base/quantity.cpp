#include "common/base/quantity.hpp"

#include <charconv>
#include <limits>
#include <span>

namespace relay {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

// Largest first, as writing wants them.
constexpr Unit byte_units[] = {
    {"TiB", 1ll << 40}, {"TB", 1'000'000'000'000}, {"GiB", 1ll << 30}, {"GB", 1'000'000'000},
    {"MiB", 1ll << 20}, {"MB", 1'000'000},         {"KiB", 1ll << 10}, {"KB", 1'000},
    {"B", 1},
};
constexpr Unit duration_units[] = {
    {"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1},
};

std::optional<std::int64_t> read(std::string_view text, std::span<const Unit> units) {
  std::int64_t count = 0;
  const char* end = text.data() + text.size();
  auto [unit_begin, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc() || count < 0 || text.starts_with('-')) return std::nullopt;
  std::string_view name(unit_begin, static_cast<std::size_t>(end - unit_begin));
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    if (count > std::numeric_limits<std::int64_t>::max() / unit.factor) return std::nullopt;
    return count * unit.factor;
  }
  return std::nullopt;
}

std::string write(std::int64_t count, std::span<const Unit> units) {
  const Unit& smallest = units.back();
  for (const Unit& unit : units) {
    if (count == 0 || count % unit.factor != 0) continue;
    return std::to_string(count / unit.factor) + std::string(unit.name);
  }
  return std::to_string(count) + std::string(smallest.name);
}

}  // namespace

std::optional<std::int64_t> bytes_from_text(std::string_view text) {
  return read(text, byte_units);
}

std::optional<std::chrono::milliseconds> duration_from_text(std::string_view text) {
  auto count = read(text, duration_units);
  if (!count) return std::nullopt;
  return std::chrono::milliseconds(*count);
}

std::string bytes_to_text(std::int64_t bytes) {
  return write(bytes, byte_units);
}

std::string duration_to_text(std::chrono::milliseconds duration) {
  return write(duration.count(), duration_units);
}

}  // namespace relay
