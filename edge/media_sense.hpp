// What the cache knows of media: learns each playlist that comes by, tells the eviction order what
// is over (it left a live playlist's window) and what every viewer needs (playlists, init segments,
// keys), and knows for the prefetch which segment comes next. The rules are in edge/hls.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/metrics.hpp"
#include "common/net/blocking.hpp"
#include "edge/cache/cache.hpp"
#include "edge/hls/playlists.hpp"
#include "edge/lookup.hpp"
#include "edge/stored.hpp"
#include "edge/visit.hpp"

namespace relay::edge {

/// What became of segments that were fetched ahead of their readers.
struct PrefetchCounts {
  explicit PrefetchCounts(Metrics& metrics);
  Counter& started;
  Counter& completed;
  Counter& used;
  Counter& wasted;
};

/// A playlist as it came. Its body is one of the two.
struct Lesson {
  std::string key;     // primary
  std::string target;  // what its references are relative to
  std::string host;
  StoredPtr stored;
  std::vector<cache::ChunkPtr> chunks;
  cache::Pin object;
  std::uint64_t number = 0;  // given by learn()
};

/// Thread-safe.
class MediaSense {
 public:
  /// More playlists at once are let go by; their next version will do.
  static constexpr int lessons_max = 64;

  /// The pool unpacks and reads playlists.
  MediaSense(cache::Cache& cache, net::Blocking& blocking, bool key_host, Metrics& metrics);

  /// What the object counts in the eviction order.
  double value_of(const std::string& primary_key, const StoredResponse& stored) const;
  /// A playlist was fetched: read it beside.
  void learn(EdgeWorker& worker, Lesson lesson);
  /// A playlist is being served from the cache. It may be unknown, after a restart.
  void recall(Visit& visit, const Found& playlist);

  hls::Playlists& playlists() { return playlists_; }
  PrefetchCounts& counts() { return counts_; }

 private:
  net::Task<void> read_beside(Lesson lesson);
  net::Task<void> recall_beside(Lesson lesson);
  bool take_in(const Lesson& lesson);
  hls::Timeline timeline_of(const Lesson& lesson) const;

  cache::Cache& cache_;
  net::Blocking& blocking_;
  const bool key_host_;
  hls::Playlists playlists_;
  PrefetchCounts counts_;
  Counter& learnt_;
  std::atomic<int> lessons_{0};
  std::atomic<bool> recalling_{false};  // one at a time: the hits of one playlist come together
};

}  // namespace relay::edge
