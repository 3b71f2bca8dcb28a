#include "tests/simulation/content.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstring>

namespace relay::simulation {
namespace {

constexpr std::size_t title_bytes = 32;

std::size_t size_of_some_kind(Random& random) {
  switch (random.below(8)) {
    case 0:
      return static_cast<std::size_t>(random.between(40, 200));
    case 1:
    case 2:
      return static_cast<std::size_t>(random.between(20'000, 70'000));
    case 3:
      return static_cast<std::size_t>(random.between(130'000, 300'000));
    default:
      return static_cast<std::size_t>(random.between(1'000, 9'000));
  }
}

}  // namespace

Content::Content(Random random) {
  int count = static_cast<int>(random.between(4, 9));
  for (int i = 0; i < count; ++i) {
    Thing thing;
    thing.tenant = fmt::format("tenant{}", i % 2);
    thing.path = fmt::format("/{}/thing{}", thing.tenant, i);
    thing.tag = fmt::format("tag{}", i % 3);
    thing.bytes = size_of_some_kind(random);
    thing.sized = !random.one_in(6);
    thing.passes = random.one_in(5);
    thing.cache_control = thing.passes ? "public, max-age=1" : "public, max-age=31536000";
    things_.push_back(std::move(thing));
  }
}

std::optional<int> Content::find(std::string_view path) const {
  for (int i = 0; i < count(); ++i) {
    if (thing(i).path == path) return i;
  }
  return std::nullopt;
}

const std::string& Content::body(int thing, int version) {
  std::string& body = bodies_[{thing, version}];
  if (!body.empty()) return body;
  body = fmt::format("thing {:8} version {:8}\n", thing, version);
  body.resize(title_bytes, '\n');
  // The first two are as long as each other: a length alone must not tell versions apart.
  std::size_t size = this->thing(thing).bytes + static_cast<std::size_t>(version / 3) * 7;
  Random random(static_cast<std::uint64_t>(thing) << 32 | static_cast<std::uint64_t>(version));
  while (body.size() < size) {
    std::uint64_t piece = random.next();
    body.append(reinterpret_cast<const char*>(&piece), sizeof piece);
  }
  body.resize(size);
  return body;
}

std::string Content::etag(int thing, int version) const {
  return fmt::format("\"{}-{}\"", thing, version);
}

std::optional<int> Content::version_in(std::string_view body) {
  if (body.size() < title_bytes) return std::nullopt;
  std::string_view number = body.substr(23, 8);
  number.remove_prefix(std::min(number.find_first_not_of(' '), number.size()));
  int version = 0;
  auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), version);
  if (error != std::errc{}) return std::nullopt;
  return version;
}

}  // namespace relay::simulation
