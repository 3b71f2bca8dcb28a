#include "bench/replay/made.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "bench/replay/kinds.hpp"
#include "common/base/hash.hpp"

namespace relay::bench {
namespace {

using Ask = void (*)(std::vector<Request>& into, std::size_t count, Dice& dice);

constexpr std::pair<std::string_view, Ask> kinds[] = {
    {"drift", drift},     {"scan", scan},       {"live", live},
    {"giants", giants},   {"web", web},         {"downloads", downloads},
    {"updates", updates}, {"gallery", gallery}, {"catalogue", catalogue}};

/// Of "" (none was given) or ":SEED".
std::optional<std::uint64_t> seed_of(std::string_view text) {
  std::uint64_t seed = 0;
  if (text.empty()) return seed;
  auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), seed);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return seed;
}

}  // namespace

std::optional<Trace> make_trace(std::string_view what, std::size_t requests) {
  auto colon = what.find(':');
  auto seed = seed_of(what.substr(std::min(colon, what.size())));
  for (const auto& [name, make] : kinds) {
    if (name != what.substr(0, colon) || !seed) continue;
    Dice dice(hash64(name, *seed));
    Trace trace;
    trace.name = what;
    make(trace.requests, requests, dice);
    trace.requests.resize(requests);
    link(trace);
    return trace;
  }
  return std::nullopt;
}

}  // namespace relay::bench
