// What a broadcaster is told of a source that was published although something is wrong with it.
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace relay::transcoder {

/// How much of a source could be read, of what it says that it has.
struct Extent {
  std::int64_t read_ns = 0, announced_ns = 0;
};

/// What a decoder made of a stream: whole and other ones.
struct DecodedCount {
  std::int64_t all = 0, damaged = 0;
};

/// Sentences; nullopt where it is not worth one.
std::optional<std::string> early_end(const Extent& extent);
std::optional<std::string> damaged_picture(const DecodedCount& pictures);
std::optional<std::string> damaged_sound(const DecodedCount& packets);

}  // namespace relay::transcoder
