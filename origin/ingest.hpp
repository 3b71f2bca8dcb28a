// The receiving end of one transcoder process (the protocol of common/media/job.hpp): every object
// is checked against its digest, stored, and only then catalogued; a playlist is shown only when
// all that it names can be read.
//
// Ingest publishes what a job sends; it does not decide how a job ends. The supervisor does, and
// says so once with settle(). What each call promises stands in origin/jobs/desk.hpp.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/metrics.hpp"
#include "common/media/job.hpp"
#include "common/net/blocking.hpp"
#include "common/net/handler.hpp"
#include "origin/jobs/desk.hpp"

namespace relay::origin {

class Announcer;
class Catalog;
class SegmentStore;

struct IngestOptions {
  std::uint64_t object_bytes_max = 256ull << 20;
  std::uint64_t free_space_min = 0;  // bytes of the disk that stay free when a source is written
};

/// Thread-safe. Outlives its handlers.
class Ingest final : public jobs::Desk {
 public:
  Ingest(Catalog& catalog, SegmentStore& store, Announcer& announcer, net::Blocking& blocking,
         Metrics& metrics, IngestOptions options);
  ~Ingest() override;

  std::unique_ptr<net::Handler> for_job(const media::Job& job, jobs::Observer& observer) override;
  Result<void> begin(const media::Job& job) override;
  Result<void> put_back(const media::Job& job, std::string_view stage) override;
  void note_stage(const media::Job& job, std::string_view stage) override;
  Result<void> add_published(media::Job& job) const override;
  std::string source_path(const media::Job& job) const override;
  Result<void> settle(const media::Job& job, const media::JobResult& result) override;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay::origin
