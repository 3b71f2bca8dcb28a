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

/// Segments of one rendition of a source's version, by their numbers, both ends included, and its
/// init. None of them: only that.
struct Hold {
  std::string rendition;
  std::int64_t first = 0, last = -1;
  bool operator==(const Hold&) const = default;
};

/// What one version of a clip holds of one other version: of the video or channel that it goes back
/// to, and of each version of a clip (an earlier one of its own, too) whose pieces it names.
struct Holds {
  std::string asset, version;
  std::vector<Hold> held;
  bool operator==(const Holds&) const = default;
};

/// What many versions of clips hold together of one source's version.
class Held {
 public:
  explicit Held(const std::vector<Holds>& all);
  bool has(std::string_view rendition, std::int64_t number) const;
  /// The same of an object by its path, "v720/12.m4s" or "v720/init.mp4".
  bool has(std::string_view object) const;
  /// What of `hold` none of them holds.
  std::vector<Range> without(const Hold& hold) const;

 private:
  std::map<std::string, Ranges<>, std::less<>> of_rendition_;
};

/// For the catalog.
std::string to_bytes(const std::vector<Holds>& all);
Result<std::vector<Holds>> holds_from_bytes(std::string_view bytes);

}  // namespace relay::origin::clip
