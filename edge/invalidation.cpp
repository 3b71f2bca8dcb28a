#include "edge/invalidation.hpp"

#include <algorithm>

#include "common/http/url.hpp"
#include "edge/cache_key.hpp"

namespace relay::edge {

bool invalidates(std::string_view method, int status) {
  return !http::is_safe(method) && status >= 200 && status < 400;
}

namespace {

/// The primary key that a reference in an answer leads to; nullopt when that is another host's.
std::optional<std::string> key_of(const http::RequestHead& request, std::string_view reference,
                                  bool key_host) {
  std::string_view host = http::find(request.fields, "Host").value_or("");
  auto target = http::resolve_on_host(reference, request.target, host);
  if (!target) return std::nullopt;
  auto keyed = key_target(*target, host, key_host);
  return keyed ? std::optional(std::move(keyed->key)) : std::nullopt;
}

}  // namespace

std::vector<std::string> invalidated_keys(const http::RequestHead& request, http::Fields response,
                                          bool key_host) {
  std::vector<std::string> keys;
  auto add = [&](std::string_view reference) {
    auto key = key_of(request, reference, key_host);
    if (key && std::ranges::find(keys, *key) == keys.end()) keys.push_back(std::move(*key));
  };
  add("");
  for (const http::Field& field : response) {
    bool names_one =
        http::same_name(field.name, "Location") || http::same_name(field.name, "Content-Location");
    if (names_one) add(field.value);
  }
  return keys;
}

bool names_target(const http::RequestHead& request, http::Fields response, bool key_host) {
  auto location = http::find(response, "Content-Location");
  if (!location || http::count(response, "Content-Location") > 1) return false;
  auto key = key_of(request, *location, key_host);
  return key && key == key_of(request, "", key_host);
}

}  // namespace relay::edge
