// Runs jobs: at most so many transcoder processes at a time, each with a deadline, a watchdog and
// a memory limit, tried again after a crash, resumed behind what it had published, and in the end
// settled with a reason that a broadcaster understands. What must survive a restart is in the
// catalog; this room holds only what runs and what waits.
//
// All state lives on the thread of `io`. Photos and edges of clips have lanes of their own, so
// that none waits behind a long video.
#pragma once

#include <memory>
#include <string>

#include "common/base/metrics.hpp"
#include "common/media/job.hpp"
#include "common/net/blocking.hpp"
#include "common/net/task.hpp"
#include "origin/jobs/desk.hpp"
#include "origin/jobs/job_settings.hpp"

namespace relay::origin::jobs {

class Supervisor {
 public:
  /// `io`, `desk`, `blocking` and `metrics` outlive it; `io` has ended its run() before the
  /// destructor. A process never outlives the origin.
  Supervisor(net::asio::io_context& io, Desk& desk, net::Blocking& blocking, Metrics& metrics,
             const JobSettings& settings);
  ~Supervisor();

  /// Thread-safe. Runs the job when its turn comes; one that is known already (same tenant, asset
  /// and version) is not taken twice. After a restart: every job of Catalog::unfinished().
  void submit(media::Job job);

  /// Thread-safe. The asset was deleted, or this version of it superseded: its process is ended and
  /// its job forgotten, nothing is settled. Version empty: all of them.
  void cancel(std::string tenant, std::string asset, std::string version);

  /// Thread-safe. Ends all processes and starts no more, so that `io` runs out of work; jobs stay
  /// unfinished in the catalog, for the next start.
  void stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace relay::origin::jobs
