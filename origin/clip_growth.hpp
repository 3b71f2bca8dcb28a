// Clips whose end was still being made when they were published: each is followed along its
// channel, and gets what comes, until its end is there.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "common/net/blocking.hpp"
#include "common/net/task.hpp"
#include "origin/catalog.hpp"
#include "origin/clip_version.hpp"
#include "origin/live/channels.hpp"

namespace relay::origin {

class ClipGrowth {
 public:
  /// So many target durations behind what is there a clip's end may lie.
  static constexpr std::int64_t ahead_targets = 3;

  /// `on_whole` is called, on the thread of `io`, when nothing more comes. All outlive it.
  ClipGrowth(Catalog& catalog, const live::Channels& channels, net::Blocking& blocking,
             net::asio::io_context& io, std::function<void(const Asset&)> on_whole)
      : catalog_(catalog),
        channels_(channels),
        blocking_(blocking),
        io_(io),
        on_whole_(std::move(on_whole)) {}

  /// Any thread.
  void follow(const Asset& clip);

 private:
  struct Look {
    bool is_whole = false;
    Asset clip;                             // then
    std::shared_ptr<live::Rendition> lead;  // to wait on for more; nullptr: there will be nothing
    std::uint64_t lead_seen = 0;
  };
  net::Task<void> run(ClipName name, std::int64_t lead_in_us);
  /// On the blocking pool.
  Result<Look> grow(const ClipName& name, SteadyTime begun, std::int64_t lead_in_us);

  Catalog& catalog_;
  const live::Channels& channels_;
  net::Blocking& blocking_;
  net::asio::io_context& io_;
  const std::function<void(const Asset&)> on_whole_;
};

}  // namespace relay::origin
