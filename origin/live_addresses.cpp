#include "origin/live_addresses.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <string>

#include "origin/intake/sha256.hpp"

namespace relay::origin {
namespace {

/// As listened on, with the host that the world knows.
std::string public_address(const std::string& listen, const std::string& host) {
  if (host.empty()) return listen;
  return host + listen.substr(std::min(listen.rfind(':'), listen.size()));
}

}  // namespace

boost::json::object ingest_addresses(const live::LiveSettings& settings, std::string_view tenant,
                                     std::string_view asset, std::string_view key) {
  boost::json::object out{{"key", key}};
  std::string stream = fmt::format("{}?key={}", asset, key);
  auto add_rtmp = [&](std::string_view scheme, const std::string& listen) {
    if (listen.empty()) return;
    std::string server =
        fmt::format("{}://{}/{}", scheme, public_address(listen, settings.public_host), tenant);
    out[scheme] = server + "/" + stream;
    out[fmt::format("{}_server", scheme)] = server;
    out[fmt::format("{}_stream", scheme)] = stream;
  };
  add_rtmp("rtmp", settings.rtmp);
  add_rtmp("rtmps", settings.rtmps);
  if (!settings.srt.empty()) {
    // The stream id "#!::u=TENANT,r=ASSET", with what a URL's query does not take escaped. It goes
    // over the network as it is, so the secret is the passphrase.
    out["srt"] = fmt::format("srt://{}?streamid=%23!::u={},r={}&passphrase={}&pbkeylen=16",
                             public_address(settings.srt, settings.public_host), tenant, asset,
                             intake::sha256_hex(key));
  }
  out["http"] = fmt::format("/api/v1/{}/channels/{}/feed", tenant, asset);
  return out;
}

}  // namespace relay::origin
