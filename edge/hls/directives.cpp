#include "edge/hls/directives.hpp"

#include <algorithm>

#include "common/http/url.hpp"

namespace relay::edge::hls {
namespace {

constexpr std::string_view directive = "_HLS_";

/// Calls `see` with each parameter.
template <class See>
void each_parameter(std::string_view query, See see) {
  while (!query.empty()) {
    std::size_t end = std::min(query.find('&'), query.size());
    see(query.substr(0, end));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
}

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

bool has_directives(std::string_view target) {
  bool found = false;
  each_parameter(http::split_target(target).query,
                 [&](std::string_view each) { found = found || each.starts_with(directive); });
  return found;
}

std::string without_directives(std::string_view target) {
  if (!has_directives(target)) return std::string(target);
  std::string left(http::split_target(target).path);
  char before = '?';
  each_parameter(http::split_target(target).query, [&](std::string_view each) {
    if (each.starts_with(directive)) return;
    left += before;
    left += each;
    before = '&';
  });
  return left;
}

std::string with_query(std::string_view target, std::string_view query) {
  std::string more(target);
  if (query.empty()) return more;
  more += target.find('?') == target.npos ? '?' : '&';
  return more += query;
}

bool is_part(std::string_view target) {
  std::string_view name = http::split_target(target).path;
  name = name.substr(name.rfind('/') + 1);
  if (!name.ends_with(".m4s")) return false;
  name.remove_suffix(4);
  std::size_t dot = name.find('.');
  return dot != name.npos && is_number(name.substr(0, dot)) && is_number(name.substr(dot + 1));
}

bool is_playlist(std::string_view target) {
  return http::split_target(target).path.ends_with(".m3u8");
}

}  // namespace relay::edge::hls
