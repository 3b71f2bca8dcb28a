// PUT clips/{asset} (DESIGN 3.4): a stretch of a video, a channel or another clip becomes an asset
// of its own, at once and without a byte copied.
#pragma once

#include <optional>
#include <string>

#include "common/net/blocking.hpp"
#include "common/net/handler.hpp"
#include "origin/announce.hpp"
#include "origin/catalog.hpp"
#include "origin/clip_growth.hpp"
#include "origin/clip_order.hpp"
#include "origin/clip_source.hpp"
#include "origin/jobs/supervisor.hpp"
#include "origin/segment_store.hpp"

namespace relay::origin {

class ClipApi {
 public:
  /// All outlive it.
  ClipApi(Catalog& catalog, SegmentStore& store, const live::Channels& channels,
          Announcer& announcer, net::Blocking& blocking)
      : catalog_(catalog),
        store_(store),
        channels_(channels),
        announcer_(announcer),
        blocking_(blocking) {}

  /// Before the first request.
  void start(net::asio::io_context& io, jobs::Supervisor& supervisor);
  /// One that an earlier run left growing.
  void go_on(const Asset& clip) { growth_->follow(clip); }

  /// The tenant's key and the name were checked. 201: made; 200: another version of it. One whose
  /// end is still being made is answered with what is there, and grows.
  net::Task<void> put(net::Exchange& exchange, std::string tenant, std::string asset);

 private:
  net::Task<Result<MadeClip>> make(std::string tenant, std::string asset, ClipOrder order);
  /// To the supervisor, what is to be done and what need not be done any more.
  void hand_over(const MadeClip& made);
  void submit(const Asset& clip);
  /// Files of versions that went, and of a job that need not go on. On the blocking pool.
  void remove_superseded(const MadeClip& made);
  struct Chosen {
    ClipSource from;
    clip::Choice choice;
    bool is_whole = true;  // false: the end is still being made
  };
  /// Waits a moment for a beginning that is only just being made.
  net::Task<Result<Chosen>> choose(std::string tenant, ClipOrder order);
  /// On the blocking pool.
  NewClip prepare(const std::string& tenant, const std::string& asset, const ClipOrder& order,
                  const Chosen& chosen) const;

  Catalog& catalog_;
  SegmentStore& store_;
  const live::Channels& channels_;
  Announcer& announcer_;
  net::Blocking& blocking_;
  jobs::Supervisor* supervisor_ = nullptr;
  std::optional<ClipGrowth> growth_;
};

}  // namespace relay::origin
