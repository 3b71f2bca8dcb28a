#include "origin/clip/hold.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "common/media/live.hpp"
#include "common/media/media_path.hpp"

namespace relay::origin::clip {
namespace {

constexpr char form_1 = 1;

/// Up to the next `end`, which is taken off too.
std::string_view word(std::string_view& text, char end) {
  std::size_t at = std::min(text.find(end), text.size());
  std::string_view found = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return found;
}

bool read_number(std::string_view text, std::int64_t& into) {
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), into);
  return ec == std::errc() && end == text.data() + text.size();
}

/// "final/0abc": what the lines behind it are of. Names of renditions have no "/".
std::optional<Holds> read_head(std::string_view line) {
  if (line.find('/') == line.npos) return std::nullopt;
  Holds holds;
  holds.asset = word(line, '/');
  holds.version = line;
  if (holds.asset.empty() || holds.version.empty()) return std::nullopt;
  return holds;
}

std::optional<Hold> read_hold(std::string_view line) {
  Hold hold;
  hold.rendition = word(line, ' ');
  bool whole = read_number(word(line, ' '), hold.first) && read_number(line, hold.last);
  if (!whole || hold.rendition.empty()) return std::nullopt;
  return hold;
}

std::unexpected<Error> broken() {
  return fail(ErrorKind::corrupt, ErrorSource::disk, "the catalog holds a broken clip");
}

}  // namespace

Held::Held(const std::vector<Holds>& all) {
  std::map<std::string, std::vector<Range>, std::less<>> ranges;
  for (const Holds& holds : all)
    for (const Hold& each : holds.held) ranges[each.rendition].push_back({each.first, each.last});
  for (auto& [rendition, of_it] : ranges)
    of_rendition_.emplace(rendition, Ranges<>(std::move(of_it)));
}

bool Held::has(std::string_view rendition, std::int64_t number) const {
  auto found = of_rendition_.find(rendition);
  return found != of_rendition_.end() && found->second.has(number);
}

bool Held::has(std::string_view object) const {
  std::string_view rendition = media::rendition_of(object);
  auto number = media::number_in(object);
  return number ? has(rendition, *number) : of_rendition_.contains(rendition);
}

std::vector<Range> Held::without(const Hold& hold) const {
  auto found = of_rendition_.find(hold.rendition);
  if (found == of_rendition_.end()) return Ranges<>({}).without({hold.first, hold.last});
  return found->second.without({hold.first, hold.last});
}

std::string to_bytes(const std::vector<Holds>& all) {
  std::string bytes(1, form_1);
  for (const Holds& holds : all) {
    bytes += fmt::format("{}/{}\n", holds.asset, holds.version);
    for (const Hold& each : holds.held)
      bytes += fmt::format("{} {} {}\n", each.rendition, each.first, each.last);
  }
  return bytes;
}

Result<std::vector<Holds>> holds_from_bytes(std::string_view bytes) {
  if (bytes.empty() || bytes.front() != form_1) return broken();
  bytes.remove_prefix(1);
  std::vector<Holds> all;
  while (!bytes.empty()) {
    std::string_view line = word(bytes, '\n');
    if (auto holds = read_head(line)) {
      all.push_back(std::move(*holds));
      continue;
    }
    auto hold = read_hold(line);
    if (!hold || all.empty()) return broken();
    all.back().held.push_back(std::move(*hold));
  }
  return all;
}

}  // namespace relay::origin::clip
