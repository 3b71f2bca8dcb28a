// What the origin has: things with versions. A body says of which thing and version it is, and no
// two have a piece in common, so that one look tells whether bytes are whole, mixed or old.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/simulation/random.hpp"

namespace relay::simulation {

struct Thing {
  std::string path;
  std::string tenant, tag;
  std::size_t bytes = 0;
  bool sized = true;  // its length is told ahead
  std::string cache_control;
  bool passes = false;  // its lifetime is short, so that it is asked about again and again
  int version = 1;      // now
};

class Content {
 public:
  explicit Content(Random random);

  std::vector<Thing>& things() { return things_; }
  const Thing& thing(int number) const { return things_[static_cast<std::size_t>(number)]; }
  int count() const { return static_cast<int>(things_.size()); }
  /// By its path.
  std::optional<int> find(std::string_view path) const;
  const std::string& body(int thing, int version);
  std::string etag(int thing, int version) const;
  /// The version that these bytes say they are of.
  static std::optional<int> version_in(std::string_view body);

 private:
  std::vector<Thing> things_;
  std::map<std::pair<int, int>, std::string> bodies_;
};

}  // namespace relay::simulation
