#include "edge/cache/gauges.hpp"

namespace relay::edge::cache {
namespace {

Counter& failures_of(Metrics& metrics, std::string_view labels) {
  return metrics.counter("relay_edge_cache_store_failures_total", "Bodies that were not stored",
                         labels);
}

}  // namespace

Gauges::Gauges(Metrics& metrics)
    : reading(metrics.gauge("relay_edge_cache_reading",
                            "1 while what the last process stored is read back")),
      objects(metrics.gauge("relay_edge_cache_objects", "Objects that a find gives")),
      body_bytes(metrics.gauge("relay_edge_cache_body_bytes", "Bytes of their bodies")),
      stored_bytes(metrics.gauge("relay_edge_cache_stored_bytes",
                                 "Bytes of disk pages and records that they take")),
      size_bytes(metrics.gauge("relay_edge_cache_size_bytes",
                               "The limit for stored and graveyard bytes together")),
      memory_bytes(metrics.gauge("relay_edge_cache_memory_bytes",
                                 "Bytes of bodies in the window, which are in memory only")),
      graveyard_bytes(metrics.gauge("relay_edge_cache_graveyard_bytes",
                                    "Bytes of removed bodies whose pages are not free yet")),
      evictions(metrics.counter("relay_edge_cache_evictions_total",
                                "Objects removed to make room for others")),
      commits(metrics.counter("relay_edge_cache_commits_total", "Transactions committed")),
      reopened(metrics.counter("relay_edge_cache_reopened_total",
                               "Times that files which LMDB had given up were opened anew")),
      commit_seconds(metrics.histogram("relay_edge_cache_commit_seconds",
                                       "Time to write and commit a batch of changes")),
      failures_queue(failures_of(metrics, "reason=\"queue\"")),
      failures_room(failures_of(metrics, "reason=\"room\"")),
      failures_worth(failures_of(metrics, "reason=\"worth\"")),
      failures_damage(failures_of(metrics, "reason=\"damage\"")),
      failures_disk(failures_of(metrics, "reason=\"disk\"")) {
}

std::uint64_t Gauges::failures() const {
  return failures_queue.value() + failures_room.value() + failures_damage.value() +
         failures_disk.value();
}

}  // namespace relay::edge::cache
