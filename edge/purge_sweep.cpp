#include "edge/purge_sweep.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "common/base/log.hpp"
#include "edge/stored.hpp"

namespace relay::edge {
namespace {

using namespace std::chrono_literals;

// Between two sweeps, so that a flood of purges costs one walk a second at most.
constexpr std::chrono::milliseconds pause = 1s;
// How often purges that are swept are looked at, to be forgotten in time.
constexpr std::chrono::milliseconds forget_interval = 10s;

}  // namespace

PurgeSweep::PurgeSweep(cache::Cache& cache, const FlightTable& flights, PurgeLog& log,
                       PurgeJournal& journal, Metrics& metrics)
    : cache_(cache),
      flights_(flights),
      log_(log),
      journal_(journal),
      looked_at_(metrics.counter("relay_edge_purge_looked_at_total",
                                 "objects that sweeps behind purges looked at")),
      reclaimed_(metrics.counter("relay_edge_purge_reclaimed_total",
                                 "objects that sweeps removed or marked stale")) {
}

PurgeSweep::~PurgeSweep() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void PurgeSweep::start() {
  wake();  // what an earlier run left behind
  thread_ = std::thread([this] { run(); });
}

void PurgeSweep::wake() {
  {
    std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

void PurgeSweep::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    changed_.wait_for(lock, forget_interval, [&] { return stopping_ || woken_; });
    if (stopping_) return;
    bool swept = true;
    if (std::exchange(woken_, false)) {
      lock.unlock();
      swept = sweep_all();
      lock.lock();
    }
    if (!swept) continue;
    lock.unlock();
    forget();
    lock.lock();
    changed_.wait_for(lock, pause, [&] { return stopping_; });
  }
}

/// Stores handed over before the walk have to be visible to it, and removals be on disk before
/// the journal forgets why. False when it was ended.
bool PurgeSweep::sweep_all() {
  std::uint64_t through = log_.sequence();
  if (log_.swept() >= through || log_.size() == 0) return true;
  auto go_on = [this] {
    std::lock_guard lock(mutex_);
    return !stopping_;
  };
  if (!wait_for_store()) return false;
  Swept swept = sweep(go_on);
  if (!swept.whole || !wait_for_store()) return false;
  log_.note_swept(through);
  return true;
}

/// False when this ends first: a store that cannot write does not answer.
bool PurgeSweep::wait_for_store() {
  struct Barrier {
    std::mutex mutex;
    std::condition_variable passed;
    bool open = false;
  };
  auto barrier = std::make_shared<Barrier>();
  cache_.remove("", [barrier] {
    std::lock_guard lock(barrier->mutex);
    barrier->open = true;
    barrier->passed.notify_all();
  });
  std::unique_lock lock(barrier->mutex);
  while (!barrier->passed.wait_for(lock, 100ms, [&] { return barrier->open; })) {
    std::lock_guard own(mutex_);
    if (stopping_) return false;
  }
  return true;
}

std::optional<std::uint64_t> PurgeSweep::sweep_at_once() {
  if (cache_.size() > at_once_objects_max) return std::nullopt;
  return sweep([] { return true; }).objects;
}

PurgeSweep::Swept PurgeSweep::sweep(const std::function<bool()>& go_on) {
  Swept swept;
  for (std::size_t part = 0; part < cache::Cache::parts; ++part) {
    if (!go_on()) {
      swept.whole = false;
      break;
    }
    for (const cache::Pin& object : cache_.part(part)) {
      looked_at_.add();
      if (reclaim(object)) ++swept.objects;
    }
  }
  reclaimed_.add(swept.objects);
  return swept;
}

bool PurgeSweep::reclaim(const cache::Pin& object) {
  std::uint64_t now = log_.sequence();
  auto begun = purge_sequence_of(object->head());
  if (!begun) {
    cache_.remove(object);
    return true;
  }
  std::optional<StoredResponse> stored;
  auto tags = [&]() -> std::span<const std::string> {
    if (auto read = decode(object->head())) stored = std::move(*read);
    return stored ? std::span<const std::string>(stored->cache_tags)
                  : std::span<const std::string>();
  };
  PurgeVerdict verdict = log_.judge(*begun, object->key(), tags);
  if (verdict.dead) {
    cache_.remove(object);
    return true;
  }
  if (!verdict.stale_from) {
    object->note_purges(now);
    return false;
  }
  if (!stored) tags();
  if (!stored || !has_lifetime(*stored)) return false;
  if (stored->stale_from && *stored->stale_from <= *verdict.stale_from) return false;
  cache_.update_head(object, encode(mark_stale(*stored, *verdict.stale_from)));
  return true;
}

void PurgeSweep::forget() {
  std::uint64_t oldest = flights_.oldest_begun().value_or(log_.sequence());
  std::size_t before = log_.size();
  std::uint64_t through = log_.forget(oldest, steady_now());
  if (log_.size() == before) return;
  if (auto erased = journal_.erase_through(through); !erased) {
    log::error("purge journal cannot be shortened", {kv("why", erased.error().message)});
  }
}

}  // namespace relay::edge
