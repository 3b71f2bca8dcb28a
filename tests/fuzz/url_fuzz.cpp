// Any bytes as a target: a normal path is a fixed point, and never climbs or hides a byte.
#include <string>

#include "common/base/check.hpp"
#include "common/http/url.hpp"

namespace http = relay::http;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  http::Target target = http::split_target(bytes);
  auto normal = http::normalise_path(target.path);
  RELAY_CHECK(http::is_normal_path(target.path) == (normal.has_value() && *normal == target.path));
  if (normal) {
    RELAY_CHECK(http::is_normal_path(*normal));
    RELAY_CHECK(http::normalise_path(*normal).value_or("") == *normal);
    RELAY_CHECK((*normal + "/").find("/../") == std::string::npos);
    auto decoded = http::percent_decode(*normal);
    RELAY_CHECK(decoded && decoded->find('\0') == std::string::npos);
    RELAY_CHECK(decoded->find('\\') == std::string::npos);
  }
  auto resolved = http::resolve_on_host(bytes, "/a/b?c", "host.example");
  RELAY_CHECK(!resolved || resolved->starts_with('/'));
  RELAY_CHECK(http::percent_decode(http::percent_encode(bytes)) == bytes);
  for (const http::Parameter& parameter : http::read_parameters(target.query)) {
    RELAY_CHECK(http::find_parameter(target.query, parameter.name).has_value());
  }
  return 0;
}
