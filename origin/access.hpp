// Who may do what: API keys as SHA-256 hashes, by tenant. The set can be replaced while requests
// run (SIGHUP). Thread-safe.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/shared_value.hpp"
#include "common/http/message.hpp"
#include "origin/settings.hpp"

namespace relay::origin {

class Access {
 public:
  explicit Access(std::vector<TenantSettings> tenants);
  void replace(std::vector<TenantSettings> tenants);
  std::shared_ptr<const std::vector<TenantSettings>> tenants() const { return tenants_.load(); }

  /// Whether `Authorization: Bearer KEY` lets the request act for the tenant. Errors: denied (no
  /// key, or one that nobody has), forbidden (a key of another tenant). Compares with every hash
  /// in constant time, so that time tells nothing about keys.
  Result<void> check(http::Fields request, std::string_view tenant) const;

 private:
  SharedValue<const std::vector<TenantSettings>> tenants_;
};

}  // namespace relay::origin
