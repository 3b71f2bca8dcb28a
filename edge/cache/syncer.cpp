#include "edge/cache/syncer.hpp"

#include "common/base/log.hpp"

namespace relay::edge::cache {

Syncer::Syncer(std::shared_ptr<Volume> volume)
    : volume_(std::move(volume)), thread_([this](std::stop_token stop) { run(stop); }) {
}

Syncer::~Syncer() = default;

void Syncer::run(std::stop_token stop) {
  std::uint64_t synced = 0;
  while (!stop.stop_requested()) {
    {
      std::unique_lock guard(lock_);
      wake_.wait_for(guard, stop, interval, [] { return false; });
    }
    std::uint64_t commits = commits_.load(std::memory_order_relaxed);
    if (commits == synced || stop.stop_requested()) continue;
    synced = commits;
    for (ShelfName name : {ShelfName::large, ShelfName::medium, ShelfName::small}) {
      auto guard = pause();
      auto done = volume_->shelf(name).env().sync();
      if (!done) log::warn("cache sync failed", {kv("why", done.error().message)});
    }
  }
}

}  // namespace relay::edge::cache
