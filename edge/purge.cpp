#include "edge/purge.hpp"

#include <fmt/format.h>

#include <boost/json/parser.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "common/http/syntax.hpp"
#include "common/http/url.hpp"
#include "common/media/media_path.hpp"
#include "edge/cache_key.hpp"

namespace relay::edge {
namespace {

namespace json = boost::json;

constexpr std::array<std::pair<std::string_view, PurgeBy>, 4> kinds = {
    {{"url", PurgeBy::url},
     {"prefix", PurgeBy::prefix},
     {"tag", PurgeBy::tag},
     {"tenant", PurgeBy::tenant}}};
constexpr std::string_view wanted =
    "wanted is an object with exactly one of \"url\", \"prefix\", \"tag\" and \"tenant\", "
    "and optionally \"soft\"";

std::optional<PurgeBy> kind_of(std::string_view member) {
  auto at = std::ranges::find(kinds, member, [](const auto& kind) { return kind.first; });
  return at == kinds.end() ? std::nullopt : std::optional(at->second);
}

Result<json::object> read_object(std::string_view text) {
  json::parser parser;
  boost::system::error_code error;
  std::size_t taken = parser.write_some(text.data(), text.size(), error);
  if (!error && taken < text.size()) {
    return bad_input(fmt::format("there is more after the JSON value, at byte {}", taken + 1));
  }
  if (error == json::error::incomplete) return bad_input("the JSON ends too early");
  if (error) {
    return bad_input(fmt::format("this is not JSON, at byte {}: {}", taken + 1, error.message()));
  }
  json::value value = parser.release();
  if (!value.is_object()) return bad_input(fmt::format("the JSON is no object; {}", wanted));
  return std::move(value.as_object());
}

/// "http://Host:80/a" becomes "host:80" and "/a"; "/a" stays.
Result<Purge> split_host(PurgeBy by, std::string_view url) {
  Purge purge{.by = by};
  for (std::string_view scheme : {"http://", "https://"}) {
    if (!url.starts_with(scheme)) continue;
    url.remove_prefix(scheme.size());
    std::size_t slash = url.find('/');
    purge.host = url.substr(0, slash);
    std::ranges::transform(purge.host, purge.host.begin(), http::lower);
    url = slash == std::string_view::npos ? "/" : url.substr(slash);
    if (purge.host.empty()) url = {};
    break;
  }
  if (!url.starts_with('/')) {
    return bad_input(fmt::format(
        "\"{}\" must be a path that begins with \"/\", or http://HOST and such a path", name(by)));
  }
  purge.text = url;
  return purge;
}

Result<Purge> purge_path(PurgeBy by, std::string_view url) {
  auto purge = split_host(by, url);
  if (!purge) return purge;
  auto keyed = key_target(purge->text, {}, false);
  if (!keyed) return bad_input(fmt::format("\"{}\": {}", name(by), keyed.error().message));
  purge->text = std::move(keyed->key);
  return purge;
}

Result<Purge> make_purge(PurgeBy by, std::string_view text) {
  if (by == PurgeBy::url || by == PurgeBy::prefix) return purge_path(by, text);
  if (by == PurgeBy::tenant) {
    if (auto fits = media::check_tenant(text); !fits) return std::unexpected(fits.error());
  } else if (text.empty() || text.find_first_of(", \t") != std::string_view::npos) {
    return bad_input("\"tag\" must be one tag of Cache-Tag: not empty, no space, no comma");
  }
  return Purge{.by = by, .text = std::string(text)};
}

/// The part of a primary key behind its host, if it has one.
std::string_view target_of(std::string_view primary) {
  return primary.substr(std::min(primary.find('/'), primary.size()));
}

/// All that stands under /{tenant} and /watch/{tenant}.
bool is_of_tenant(std::string_view target, std::string_view tenant) {
  constexpr std::string_view watch = "/watch";
  std::string_view rest = target;
  if (rest.starts_with("/watch/")) rest.remove_prefix(watch.size());
  rest.remove_prefix(std::min<std::size_t>(1, rest.size()));
  if (!rest.starts_with(tenant)) return false;
  rest.remove_prefix(tenant.size());
  return rest.empty() || rest.front() == '/' || rest.front() == '?';
}

}  // namespace

std::string_view name(PurgeBy by) {
  return std::ranges::find(kinds, by, [](const auto& kind) { return kind.second; })->first;
}

bool Purge::matches(std::string_view key, std::span<const std::string> cache_tags) const {
  if (by == PurgeBy::tag) return std::ranges::find(cache_tags, text) != cache_tags.end();
  std::string_view primary = primary_of(key);
  std::string_view target = target_of(primary);
  std::string_view key_host = primary.substr(0, primary.size() - target.size());
  if (!host.empty() && !key_host.empty() && host != key_host) return false;
  if (by == PurgeBy::url) return target == text;
  if (by == PurgeBy::prefix) return target.starts_with(text);
  return is_of_tenant(target, text);
}

Result<Purge> parse_purge(std::string_view text) {
  auto object = read_object(text);
  if (!object) return std::unexpected(object.error());
  std::optional<Purge> purge;
  bool soft = false;
  for (const auto& [member, value] : *object) {
    std::string_view member_name(member.data(), member.size());
    if (member_name == "soft") {
      if (!value.is_bool()) return bad_input("\"soft\" must be true or false");
      soft = value.as_bool();
      continue;
    }
    auto by = kind_of(member_name);
    if (!by) return bad_input(fmt::format("unknown member \"{}\"; {}", member_name, wanted));
    if (purge) {
      return bad_input(fmt::format("both \"{}\" and \"{}\" are there; {}", name(purge->by),
                                   member_name, wanted));
    }
    if (!value.is_string()) return bad_input(fmt::format("\"{}\" must be a text", member_name));
    const json::string& string = value.as_string();
    auto made = make_purge(*by, std::string_view(string.data(), string.size()));
    if (!made) return made;
    purge = std::move(*made);
  }
  if (!purge) return bad_input(fmt::format("nothing is named; {}", wanted));
  purge->soft = soft;
  return *purge;
}

std::uint64_t PurgeLog::add(Purge purge, SteadyTime now) {
  std::lock_guard lock(mutex_);
  recent_.push_back({std::move(purge), now});
  newest_at_.store(now, std::memory_order_release);
  if (recent_.size() > remembered_max_) recent_.pop_front();
  std::uint64_t number = newest_.load(std::memory_order_relaxed) + 1;
  newest_.store(number, std::memory_order_release);
  return number;
}

bool PurgeLog::purged_since(std::uint64_t begun, std::string_view key,
                            std::span<const std::string> cache_tags) const {
  if (begun == sequence()) return false;
  std::lock_guard lock(mutex_);
  std::uint64_t newest = newest_.load(std::memory_order_relaxed);
  std::uint64_t missed = newest - begun;
  if (missed > recent_.size()) return true;
  return std::any_of(recent_.end() - static_cast<std::ptrdiff_t>(missed), recent_.end(),
                     [&](const Entry& entry) { return entry.purge.matches(key, cache_tags); });
}

bool PurgeLog::purged_lately(std::string_view key, SteadyTime now) const {
  SteadyTime since = now - peer_distrust;
  if (newest_at_.load(std::memory_order_acquire) < since) return false;
  std::lock_guard lock(mutex_);
  return std::any_of(recent_.rbegin(), recent_.rend(), [&](const Entry& entry) {
    // What a tag names is in the answers only: then every key is asked for at the origin.
    return entry.at >= since && (entry.purge.needs_tags() || entry.purge.matches(key));
  });
}

}  // namespace relay::edge
