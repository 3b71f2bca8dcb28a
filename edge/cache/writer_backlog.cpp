// The store thread's first work: the books of what the last process stored.
#include <chrono>

#include "common/base/log.hpp"
#include "edge/cache/recovery.hpp"
#include "edge/cache/writer.hpp"

namespace relay::edge::cache {

/// What the files tell before their records are read.
void Writer::show_backlog() {
  gauges_.reading.set(1);
  gauges_.objects.set(static_cast<std::int64_t>(shared_.backlog.records()));
  gauges_.stored_bytes.set(static_cast<std::int64_t>(shared_.backlog.stored_bytes()));
}

/// Until they are complete nothing is written: what is handed over waits in the queue.
void Writer::read_backlog() {
  SteadyTime begin = steady_now();
  shared_.index.reserve(shared_.backlog.records());
  auto recovered = recover(*volume_, shared_.backlog);
  if (!recovered) return give_up_store(recovered.error());
  SteadyTime now = steady_now();
  holdings_.reserve(recovered->bodies.size());
  for (auto& body : recovered->bodies) holdings_.restore(std::move(body));
  for (std::uint64_t id : recovered->removed) holdings_.retire(id, now);
  for (auto& orphan : recovered->orphans) holdings_.bury_orphan(std::move(orphan), now);
  next_id_ = first_id_ = recovered->next_id;
  std::size_t orphans = recovered->orphans.size();
  recovered->bodies.clear();  // else they would hold what is evicted next
  recovered->orphans.clear();
  holdings_.shrink_to_budget(now);
  show();
  gauges_.reading.set(0);
  std::chrono::duration<double> took = steady_now() - begin;
  log::info("cache read", {kv("path", folder_.string()), kv("objects", holdings_.objects()),
                           kv("orphans", orphans), kv("seconds", took.count())});
  shared_.backlog.finish();
}

/// What cannot be read cannot be kept in order: it is taken back, and the next start begins empty.
void Writer::give_up_store(const Error& error) {
  log::error("cache given up until a restart",
             {kv("path", folder_.string()), kv("why", error.message)});
  given_up_ = true;
  shared_.failing = true;
  std::error_code ignored;
  std::filesystem::remove(marker_path(folder_), ignored);
  auto all = [](std::string_view) { return true; };
  shared_.backlog.remove_if(all);
  shared_.index.remove_if(all);
  show();
  gauges_.reading.set(0);
  shared_.backlog.finish();
}

/// Nothing of it can come back, so removals are as durable as they will be.
void Writer::refuse(const std::vector<std::unique_ptr<Job>>& jobs) {
  for (const auto& job : jobs) {
    if (auto* store = std::get_if<StoreJob>(job.get())) {
      gauges_.failures_disk.add();
      shared_.queue.answer(*store, false);
    } else if (auto* removal = std::get_if<RemoveJob>(job.get()); removal && removal->durable) {
      removal->durable();
    } else if (auto* wait = std::get_if<WaitJob>(job.get())) {
      wait->answered();
    }
  }
}

}  // namespace relay::edge::cache
