// One segment of one rendition as the origin keeps it: its parts lie one after the other in its
// file. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/hash.hpp"
#include "common/media/key_picture.hpp"

namespace relay::origin::live {

struct Part {
  std::uint64_t bytes = 0;
  std::int64_t ticks = 0;  // of its rendition's timescale
  bool independent = false;
  Digest128 digest;
  media::KeyPicture key = {};  // of one that begins a group; until the segment is kept with it
};

struct Segment {
  std::int64_t number = 0;
  bool gap = false;  // not made, or not to its end
  std::vector<Part> parts;

  std::uint64_t bytes() const;
  std::int64_t ticks() const;
  /// Where a part begins in the file.
  std::uint64_t offset_of(std::size_t part) const;
};

/// For the catalog: everything but the number, which is in the key.
std::string to_bytes(const Segment& segment);
Result<Segment> segment_from_bytes(std::int64_t number, std::string_view bytes);

}  // namespace relay::origin::live
