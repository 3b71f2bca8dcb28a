#include "transcoder/flaws.hpp"

#include <fmt/format.h>

namespace relay::transcoder {

namespace {

// Less than that is how containers count: priming, the last picture's time, other tracks.
constexpr std::int64_t missing_ns_min = 1'000'000'000;
// A cut leaves one or two that are not whole.
constexpr std::int64_t damaged_min = 3;

double seconds(std::int64_t ns) {
  return static_cast<double>(ns) / 1e9;
}

}  // namespace

std::optional<std::string> early_end(const Extent& extent) {
  if (extent.announced_ns - extent.read_ns < missing_ns_min) return std::nullopt;
  return fmt::format(
      "the file ends early: {:.1f} s of the {:.1f} s that it announces could be read",
      seconds(extent.read_ns), seconds(extent.announced_ns));
}

std::optional<std::string> damaged_picture(const DecodedCount& pictures) {
  if (pictures.damaged < damaged_min) return std::nullopt;
  return fmt::format("{} of {} pictures are damaged or could not be decoded", pictures.damaged,
                     pictures.all);
}

std::optional<std::string> damaged_sound(const DecodedCount& packets) {
  if (packets.damaged < damaged_min) return std::nullopt;
  return fmt::format("{} of {} pieces of the sound could not be decoded and are left out",
                     packets.damaged, packets.all);
}

}  // namespace relay::transcoder
