#include "origin/access.hpp"

#include <openssl/crypto.h>

#include "origin/intake/sha256.hpp"

namespace relay::origin {
namespace {

std::string_view bearer_key(http::Fields request) {
  constexpr std::string_view scheme = "bearer ";
  if (http::count(request, "authorization") != 1) return {};
  std::string_view value = *http::find(request, "authorization");
  if (value.size() <= scheme.size()) return {};
  if (!http::same_name(value.substr(0, scheme.size()), scheme)) return {};
  value.remove_prefix(scheme.size());
  while (value.starts_with(' ')) value.remove_prefix(1);
  return value;
}

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::unexpected<Error> denied(const char* why) {
  return fail(ErrorKind::denied, ErrorSource::client, why);
}

}  // namespace

Access::Access(std::vector<TenantSettings> tenants) {
  replace(std::move(tenants));
}

void Access::replace(std::vector<TenantSettings> tenants) {
  tenants_.store(std::make_shared<const std::vector<TenantSettings>>(std::move(tenants)));
}

Result<void> Access::check(http::Fields request, std::string_view tenant) const {
  std::string_view key = bearer_key(request);
  if (key.empty()) return denied("this needs a key: send Authorization: Bearer KEY");
  std::string hash = intake::sha256_hex(key);
  bool known = false, fits = false;
  auto tenants = tenants_.load();
  for (const TenantSettings& each : *tenants) {
    for (const std::string& allowed : each.key_sha256) {
      bool match = same(hash, allowed);
      known |= match;
      fits |= match && each.name == tenant;
    }
  }
  if (!known) return denied("the key is not valid");
  if (fits) return {};
  return fail(ErrorKind::forbidden, ErrorSource::client,
              "the key is valid, but not for tenant '" + std::string(tenant) + "'");
}

}  // namespace relay::origin
