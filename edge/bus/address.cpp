#include "edge/bus/address.hpp"

#include <algorithm>

#include "common/http/syntax.hpp"

namespace relay::edge::bus {
namespace {

constexpr std::size_t bus_name_chars_max = 64;

std::vector<std::string_view> split(std::string_view list) {
  std::vector<std::string_view> parts;
  while (true) {
    std::size_t comma = std::min(list.find(','), list.size());
    parts.push_back(list.substr(0, comma));
    if (comma == list.size()) return parts;
    list.remove_prefix(comma + 1);
  }
}

/// Length of "nats://" or "tls://" at the front; 0: neither.
std::size_t scheme_length(std::string_view url) {
  for (std::string_view scheme : {"nats://", "tls://"}) {
    if (url.starts_with(scheme)) return scheme.size();
  }
  return 0;
}

bool is_host_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
         c == '-' || c == '_';
}

bool is_host(std::string_view host) {
  if (host.starts_with('[')) return host.size() > 2 && host.ends_with(']');
  return !host.empty() && std::ranges::all_of(host, is_host_character);
}

bool is_server(std::string_view url) {
  std::size_t scheme = scheme_length(url);
  if (scheme == 0) return false;
  std::string_view rest = url.substr(scheme);
  if (std::size_t at = rest.rfind('@'); at != rest.npos) rest.remove_prefix(at + 1);
  std::size_t colon = rest.rfind(':');
  bool has_port = colon != rest.npos && rest.find(']', colon) == rest.npos;
  if (!has_port) return is_host(rest);
  auto port = http::read_decimal(rest.substr(colon + 1));
  return port && *port > 0 && *port <= 65535 && is_host(rest.substr(0, colon));
}

}  // namespace

Result<std::vector<std::string>> servers_of(std::string_view address) {
  std::vector<std::string> servers;
  for (std::string_view url : split(address)) {
    if (!is_server(url) || servers.size() == servers_max) {
      return bad_input("has '" + without_secrets(url) +
                       "'; allowed is nats://HOST:PORT or tls://HOST:PORT, with USER:PASSWORD@ or "
                       "TOKEN@ before the host, and more servers of the cluster behind commas");
    }
    servers.emplace_back(url);
  }
  return servers;
}

std::string without_secrets(std::string_view address) {
  std::string shown;
  for (std::string_view url : split(address)) {
    if (!shown.empty()) shown += ',';
    std::size_t at = url.rfind('@');
    if (at == url.npos) {
      shown += url;
      continue;
    }
    shown += url.substr(0, scheme_length(url));
    shown += "...";
    shown += url.substr(at);
  }
  return shown;
}

bool is_bus_name(std::string_view name) {
  auto fits = [](char c) { return c != '.' && is_host_character(c); };
  return !name.empty() && name.size() <= bus_name_chars_max && std::ranges::all_of(name, fits);
}

}  // namespace relay::edge::bus
