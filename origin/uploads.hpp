// PUT of a whole file becomes an asset's newest version: streamed in, synced, named in the store,
// committed to the catalog, handed to the transcoders, answered. In that order, so that what was
// answered survives kill -9.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/metrics.hpp"
#include "common/net/blocking.hpp"
#include "common/net/handler.hpp"
#include "origin/announce.hpp"
#include "origin/catalog.hpp"
#include "origin/intake/upload.hpp"
#include "origin/json_body.hpp"
#include "origin/segment_store.hpp"
#include "origin/settings.hpp"

namespace relay::origin {

namespace jobs {
class Supervisor;
}

class Uploads {
 public:
  Uploads(Catalog& catalog, SegmentStore& store, Announcer& announcer, net::Blocking& blocking,
          Metrics& metrics, UploadSettings settings);

  /// Before the first request.
  void start(jobs::Supervisor& supervisor) { supervisor_ = &supervisor; }

  /// What is on its way: who, what, and how its title will be.
  struct Request {
    std::string tenant, asset;
    AssetKind kind = AssetKind::video;
    Labels labels;
  };
  /// Answers 201 (new asset), 202 (new version), 200 (the same bytes are there or under way).
  net::Task<void> put(net::Exchange& exchange, Request request);

  /// What is coming in under a name, with its bytes so far.
  struct Incoming {
    Asset asset;
    std::optional<std::uint64_t> bytes_expected;  // the request did not say
    media::Progress progress() const;
  };
  /// nullopt: none of that name.
  std::optional<Incoming> receiving(std::string_view tenant, std::string_view asset) const;

 private:
  class Slot;
  net::Task<Result<Accepted>> take(net::Exchange& exchange, const Request& request);
  /// On the blocking pool.
  Result<void> check_name(const Request& request) const;
  Result<Accepted> commit(const Request& request, intake::Received& received);
  void hand_over(const Accepted& accepted);

  Catalog& catalog_;
  SegmentStore& store_;
  Announcer& announcer_;
  net::Blocking& blocking_;
  const UploadSettings settings_;
  jobs::Supervisor* supervisor_ = nullptr;
  Counter& bytes_;
  Counter& accepted_;
  Counter& refused_;
  Gauge& running_;
  std::atomic<std::int64_t> slots_taken_{0};
  mutable std::mutex mutex_;  // guards receiving_
  std::map<std::string, Incoming, std::less<>> receiving_;
};

}  // namespace relay::origin
