// Any bytes: settings are read within their ranges, or refused with "FILE:LINE:COLUMN: …".
#include <cstdint>
#include <string_view>

#include "common/base/check.hpp"
#include "common/base/settings.hpp"

namespace {

struct Upstream {
  std::string url;
  double weight = 1;
};

struct Sample {
  std::string mode = "fast";
  std::int64_t threads = 0;
  std::uint64_t size = 4096;
  std::chrono::milliseconds wait{1};
  bool quiet = false;
  std::vector<std::string> listen;
  std::vector<Upstream> upstreams;
};

void describe_upstream(relay::Schema& schema, Upstream& into) {
  schema.text("url", into.url, "where");
  schema.number("weight", into.weight, "share", {0, 10});
  if (into.url.empty()) schema.reject("url", "is missing");
}

void describe(relay::Schema& schema, Sample& into) {
  schema.text("a.mode", into.mode, "how", {"fast", "slow"});
  schema.count("a.threads", into.threads, "many", {0, 256});
  schema.bytes("a.b.size", into.size, "bytes", {4096, 1ll << 40});
  schema.duration("wait", into.wait, "patience", {1, 60'000});
  schema.flag("a.quiet", into.quiet, "say less");
  schema.texts("a.listen", into.listen, "addresses");
  schema.tables<Upstream>("upstream", into.upstreams, describe_upstream, "where misses go");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto sample = relay::parse_settings<Sample>(text, "f.toml", describe);
  if (!sample) {
    RELAY_CHECK(sample.error().message.starts_with("f.toml:"));
    return 0;
  }
  RELAY_CHECK(sample->mode == "fast" || sample->mode == "slow");
  RELAY_CHECK(sample->threads >= 0 && sample->threads <= 256);
  RELAY_CHECK(sample->size >= 4096 && sample->size <= 1ull << 40);
  RELAY_CHECK(sample->wait.count() >= 1 && sample->wait.count() <= 60'000);
  for (const Upstream& upstream : sample->upstreams) {
    RELAY_CHECK(!upstream.url.empty());
    RELAY_CHECK(upstream.weight >= 0 && upstream.weight <= 10);
  }
  return 0;
}
