// What the supervisor wants of whoever keeps the assets: jobs come from there and their results go
// back. The supervisor knows no catalog and no store; origin/ingest is the desk of the origin.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"
#include "common/media/job.hpp"
#include "common/net/handler.hpp"

namespace relay::origin::jobs {

/// Told what comes over a job's connection, on that connection's thread. Must outlive the handler
/// that for_job() gave.
class Observer {
 public:
  virtual ~Observer() = default;
  /// Any complete request: the process lives and gets on.
  virtual void on_sign_of_life() = 0;
  /// A playlist was taken: what it names is not made again, whenever the process ends.
  virtual void on_published() = 0;
  /// The process's own verdict; call Desk::settle() with it, or try again.
  virtual void on_result(const media::JobResult& result) = 0;
};

/// Thread-safe. Outlives its handlers.
class Desk {
 public:
  virtual ~Desk() = default;

  /// The handler for the connection (descriptor 4) of one try of one job; for serve_connected().
  virtual std::unique_ptr<net::Handler> for_job(const media::Job& job, Observer& observer) = 0;

  /// A try is about to start: the asset's state becomes processing. not_found: the asset or this
  /// version is gone (deleted or superseded); drop the job. Blocks on the disk: call it on the
  /// blocking pool.
  virtual Result<void> begin(const media::Job& job) = 0;

  /// begin() was in vain, by our own fault: the asset is queued again, at this stage. not_found as
  /// there. Blocks on the disk: call it on the blocking pool.
  virtual Result<void> put_back(const media::Job& job, std::string_view stage) = 0;

  /// What the job is at, while it has no process of its own to tell. Short; any thread.
  virtual void note_stage(const media::Job& job, std::string_view stage) = 0;

  /// Fills in what earlier tries published: `published` and `multivariant`. Short; any thread.
  virtual Result<void> add_published(media::Job& job) const = 0;

  /// The source file of a job, to be opened and handed over as descriptor 3.
  virtual std::string source_path(const media::Job& job) const = 0;

  /// The job's last word: ready, or failed for good with result.reason. Switches the asset to this
  /// version (or back, on failure), tells subscribers and edges. Blocks on the disk: call it on
  /// the blocking pool. not_found: deleted meanwhile; nothing left to do.
  virtual Result<void> settle(const media::Job& job, const media::JobResult& result) = 0;
};

}  // namespace relay::origin::jobs
