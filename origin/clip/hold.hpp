// A clip holds the segments that it plays: as long as it does, nobody removes them. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"
#include "origin/clip/ranges.hpp"

namespace relay::origin::clip {

/// Segments of one rendition of a source's version, by their numbers, both ends included.
struct Hold {
  std::string rendition;
  std::int64_t first = 0, last = -1;
  bool operator==(const Hold&) const = default;
};

/// What one version of a clip holds.
struct Holds {
  std::string asset, version;  // of the source
  std::vector<Hold> held;
};

/// What many versions of clips hold together of one source's version.
class Held {
 public:
  explicit Held(const std::vector<Holds>& all);
  bool has(std::string_view rendition, std::int64_t number) const;
  /// What of `hold` none of them holds.
  std::vector<Range> without(const Hold& hold) const;

 private:
  std::map<std::string, Ranges<>, std::less<>> of_rendition_;
};

/// For the catalog.
std::string to_bytes(const Holds& holds);
Result<Holds> holds_from_bytes(std::string_view bytes);

}  // namespace relay::origin::clip
