// The cache's metrics, declared in one place; stats() reads the same values.
#pragma once

#include "common/base/metrics.hpp"

namespace relay::edge::cache {

struct Gauges {
  explicit Gauges(Metrics& metrics);

  Gauge& reading;
  Gauge& objects;
  Gauge& body_bytes;
  Gauge& stored_bytes;
  Gauge& size_bytes;
  Gauge& memory_bytes;
  Gauge& graveyard_bytes;
  Counter& evictions;
  Counter& commits;
  Counter& reopened;
  Histogram& commit_seconds;
  // Why a body was not stored.
  Counter& failures_queue;   // too much waited to be written already
  Counter& failures_room;    // too big, or everything else is held or being sent
  Counter& failures_worth;   // not worth what would have to leave for it
  Counter& failures_damage;  // sizes or digest were wrong
  Counter& failures_disk;    // the disk or LMDB refused

  std::uint64_t failures() const;
};

}  // namespace relay::edge::cache
