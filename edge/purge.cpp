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

constexpr std::array<std::pair<std::string_view, PurgeBy>, 5> kinds = {{{"url", PurgeBy::url},
                                                                        {"prefix", PurgeBy::prefix},
                                                                        {"tag", PurgeBy::tag},
                                                                        {"tenant", PurgeBy::tenant},
                                                                        {"all", PurgeBy::all}}};
constexpr std::string_view wanted =
    "wanted is an object with exactly one of \"url\", \"prefix\", \"tag\", \"tenant\" and \"all\", "
    "and optionally \"soft\" and \"scope\"";

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
    return bad_input(
        "\"tag\" must be one tag of Cache-Tag or Surrogate-Key: not empty, no space, no comma");
  }
  return Purge{.by = by, .text = std::string(text)};
}

Result<Purge> read_purge(PurgeBy by, const json::value& value) {
  if (by == PurgeBy::all) {
    if (!value.is_bool() || !value.as_bool()) return bad_input("\"all\" must be true");
    return Purge{.by = by};
  }
  if (!value.is_string()) return bad_input(fmt::format("\"{}\" must be a text", name(by)));
  const json::string& string = value.as_string();
  return make_purge(by, std::string_view(string.data(), string.size()));
}

}  // namespace

std::string_view name(PurgeBy by) {
  return std::ranges::find(kinds, by, [](const auto& kind) { return kind.second; })->first;
}

std::string_view target_of(std::string_view primary) {
  return primary.substr(std::min(primary.find('/'), primary.size()));
}

std::string_view tenant_of(std::string_view target) {
  constexpr std::string_view watch = "/watch";
  if (target.starts_with("/watch/")) target.remove_prefix(watch.size());
  target.remove_prefix(std::min<std::size_t>(1, target.size()));
  return target.substr(0, target.find_first_of("/?"));
}

Result<Purge> parse_purge(std::string_view text) {
  auto object = read_object(text);
  if (!object) return std::unexpected(object.error());
  std::optional<Purge> purge;
  bool soft = false, here_only = false;
  for (const auto& [member, value] : *object) {
    std::string_view member_name(member.data(), member.size());
    if (member_name == "soft") {
      if (!value.is_bool()) return bad_input("\"soft\" must be true or false");
      soft = value.as_bool();
      continue;
    }
    if (member_name == "scope") {
      if (value != "fleet" && value != "edge") {
        return bad_input("\"scope\" must be \"fleet\" or \"edge\"");
      }
      here_only = value == "edge";
      continue;
    }
    auto by = kind_of(member_name);
    if (!by) return bad_input(fmt::format("unknown member \"{}\"; {}", member_name, wanted));
    if (purge) {
      return bad_input(fmt::format("both \"{}\" and \"{}\" are there; {}", name(purge->by),
                                   member_name, wanted));
    }
    auto made = read_purge(*by, value);
    if (!made) return made;
    purge = std::move(*made);
  }
  if (!purge) return bad_input(fmt::format("nothing is named; {}", wanted));
  purge->soft = soft;
  purge->here_only = here_only;
  return *purge;
}

}  // namespace relay::edge
