#include "edge/cache_key.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/http/negotiate.hpp"
#include "common/http/syntax.hpp"
#include "common/http/url.hpp"

namespace relay::edge {
namespace {

constexpr std::string_view absent = "\x01";

bool is_cmcd(std::string_view parameter) {
  return http::same_name(parameter.substr(0, parameter.find('=')), "CMCD");
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), http::lower);
  return out;
}

bool is_preference(std::string_view name) {
  return name == "accept" || name == "accept-language" || name == "accept-encoding" ||
         name == "accept-charset";
}

}  // namespace

std::string without_cmcd(std::string_view target) {
  std::size_t mark = target.find('?');
  if (mark == std::string_view::npos) return std::string(target);
  std::string kept(target.substr(0, mark));
  std::string_view query = target.substr(mark + 1);
  char before = '?';
  bool dropped = false;
  for (std::size_t from = 0; from <= query.size();) {
    std::size_t end = std::min(query.find('&', from), query.size());
    std::string_view parameter = query.substr(from, end - from);
    from = end + 1;
    if (is_cmcd(parameter)) {
      dropped = true;
      continue;
    }
    (kept += before) += parameter;
    before = '&';
  }
  return dropped ? kept : std::string(target);
}

Result<KeyedTarget> key_target(std::string_view target, std::string_view host, bool key_host) {
  std::size_t mark = std::min(target.find('?'), target.size());
  std::string_view path = target.substr(0, mark);
  KeyedTarget keyed;
  if (http::is_normal_path(path)) {
    keyed.target = path;
  } else {
    auto normal = http::normalise_path(path);
    if (!normal) return std::unexpected(normal.error());
    keyed.target = std::move(*normal);
  }
  if (mark < target.size()) keyed.target += without_cmcd(target.substr(mark));
  keyed.key = key_host ? lower_case(host) + keyed.target : keyed.target;
  return keyed;
}

std::optional<std::vector<std::string>> vary_names(http::Fields response) {
  std::vector<std::string> names;
  for (const http::Field& field : response) {
    if (!http::same_name(field.name, "Vary")) continue;
    std::string_view rest = field.value;
    while (auto element = http::next_element(rest)) {
      if (*element == "*") return std::nullopt;
      names.push_back(lower_case(*element));
    }
  }
  std::ranges::sort(names);
  auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  return names;
}

std::string vary_value(http::Fields request, std::string_view name) {
  if (!http::find(request, name)) return std::string(absent);
  if (is_preference(name)) {
    std::string list = http::joined(request, name);
    if (list.find('"') == std::string::npos) return http::normal_preferences(list);
  }
  std::string value;
  for (const http::Field& field : request) {
    if (!http::same_name(field.name, name)) continue;
    std::string_view rest = field.value;
    while (auto element = http::next_element(rest)) {
      if (!value.empty()) value += ',';
      value += *element;
    }
  }
  return value;
}

std::string secondary_key(std::string_view primary, std::span<const std::string> names,
                          http::Fields request) {
  std::string key(primary);
  for (const std::string& name : names) {
    ((key += '\n') += name) += '=';
    key += vary_value(request, name);
  }
  return key;
}

bool chooses_language(std::span<const std::string> names) {
  return std::ranges::find(names, "accept-language") != names.end();
}

std::string language_key(std::string_view primary, std::span<const std::string> names,
                         http::Fields request, std::string_view language) {
  std::string key(primary);
  for (const std::string& name : names) {
    bool wish = name == "accept-language";
    ((key += '\n') += name) += wish ? "=\x01" : "=";
    key += wish ? std::string(language) : vary_value(request, name);
  }
  return key;
}

std::string sharing_key(std::string_view key, http::Fields request) {
  std::string out(key);
  if (http::find(request, "Authorization")) out += "\n\nauthorization";
  return out;
}

std::string failed_key(std::string_view key, std::uint64_t purge_sequence) {
  return fmt::format("{}\n\nfailed {}", key, purge_sequence);
}

std::string refused_key(std::string_view key, std::uint64_t purge_sequence) {
  return fmt::format("{}\n\nrefused {}", key, purge_sequence);
}

std::string_view primary_of(std::string_view key) {
  return key.substr(0, key.find('\n'));
}

}  // namespace relay::edge
