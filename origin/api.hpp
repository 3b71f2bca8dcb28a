// The origin's API (DESIGN 3.4): who asks, what for, and the answer as JSON. Every request needs a
// key of the tenant in its path; errors are RFC 9457 problem documents.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/net/blocking.hpp"
#include "common/net/handler.hpp"
#include "origin/access.hpp"
#include "origin/announce.hpp"
#include "origin/catalog.hpp"
#include "origin/clip_api.hpp"
#include "origin/events.hpp"
#include "origin/live_api.hpp"
#include "origin/segment_store.hpp"
#include "origin/uploads.hpp"

namespace relay::origin {

/// What the API works with; all outlive it.
struct ApiParts {
  Catalog& catalog;
  SegmentStore& store;
  Announcer& announcer;
  Events& events;
  Uploads& uploads;
  Access& access;
  net::Blocking& blocking;
  LiveApi& live;
  ClipApi& clips;
};

class Api {
 public:
  explicit Api(ApiParts parts) : parts_(parts) {}

  /// Before the first request.
  void start(jobs::Supervisor& supervisor) {
    supervisor_ = &supervisor;
    parts_.uploads.start(supervisor);
  }

  /// `path` is normalised and begins with "/api/"; `query` is without "?".
  net::Task<void> answer(net::Exchange& exchange, std::string path, std::string query);

  static constexpr std::string_view prefix = "/api/";

 private:
  struct Route;
  net::Task<void> dispatch(net::Exchange& exchange, Route route);
  net::Task<void> put_upload(net::Exchange& exchange, Route route, AssetKind kind);
  net::Task<void> put_clip(net::Exchange& exchange, Route route);
  net::Task<void> get_asset(net::Exchange& exchange, Route route);
  net::Task<void> list_assets(net::Exchange& exchange, Route route);
  net::Task<void> relabel(net::Exchange& exchange, Route route);
  net::Task<void> remove(net::Exchange& exchange, Route route);
  net::Task<void> stream_events(net::Exchange& exchange, Route route);

  ApiParts parts_;
  jobs::Supervisor* supervisor_ = nullptr;
};

}  // namespace relay::origin
