// The receiving end of one transcoder process (the protocol of common/media/job.hpp): every object
// is checked against its digest, stored, and only then catalogued; a playlist is shown only when
// all that it names can be read.
//
// Ingest publishes what a job sends; it does not decide how a job ends. The supervisor does, and
// says so once with settle().
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/metrics.hpp"
#include "common/media/job.hpp"
#include "common/net/blocking.hpp"
#include "common/net/handler.hpp"

namespace relay::origin {

class Announcer;
class Catalog;
class SegmentStore;

/// Told what comes over a job's connection, on that connection's thread. Must outlive the handler
/// that for_job() gave.
class JobObserver {
 public:
  virtual ~JobObserver() = default;
  /// Any complete request: the process lives and gets on.
  virtual void on_sign_of_life() = 0;
  /// The process's own verdict; call Ingest::settle() with it, or try again.
  virtual void on_result(const media::JobResult& result) = 0;
};

struct IngestOptions {
  std::uint64_t object_bytes_max = 256ull << 20;
};

/// Thread-safe. Outlives its handlers.
class Ingest {
 public:
  Ingest(Catalog& catalog, SegmentStore& store, Announcer& announcer, net::Blocking& blocking,
         Metrics& metrics, IngestOptions options);
  ~Ingest();

  /// The handler for the connection (descriptor 4) of one try of one job; for serve_connected().
  std::unique_ptr<net::Handler> for_job(const media::Job& job, JobObserver& observer);

  /// A try is about to start: the asset's state becomes processing. not_found: the asset or this
  /// version is gone (deleted or superseded); drop the job. Blocks on the disk: call it on the
  /// blocking pool.
  Result<void> begin(const media::Job& job);

  /// What earlier tries published, for Job::published. Short; any thread.
  Result<std::vector<media::PublishedRendition>> published(const media::Job& job) const;

  /// The source file of a job, to be opened and handed over as descriptor 3.
  std::string source_path(const media::Job& job) const;

  /// The job's last word: ready, or failed for good with result.reason. Switches the asset to this
  /// version (or back, on failure), tells subscribers and edges. Blocks on the disk: call it on
  /// the blocking pool. not_found: deleted meanwhile; nothing left to do.
  Result<void> settle(const media::Job& job, const media::JobResult& result);

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay::origin
