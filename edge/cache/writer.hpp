// The store thread: takes what the request path asked for, shows it in the window, batches what
// goes on into the store into transactions, and makes that visible. Sole owner of the LMDB write
// side and of the holdings.
//
// The order of a round is what keeps the promises: an object of the store can be found only after
// the commit of its bytes and header, and one that comes from the window is found there until then;
// a removal's `durable` runs only after the commit and sync of the round that erased its header; a
// store that a removal overtook is never published, and its header is erased before that removal is
// called durable. Before its first round it reads what the last process left.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/base/shared_value.hpp"
#include "edge/cache/backlog.hpp"
#include "edge/cache/gauges.hpp"
#include "edge/cache/holdings.hpp"
#include "edge/cache/index.hpp"
#include "edge/cache/job_queue.hpp"
#include "edge/cache/round.hpp"
#include "edge/cache/syncer.hpp"
#include "edge/cache/usage_rings.hpp"

namespace relay::edge::cache {

/// What the store thread shares with the request path. `removal` orders publication against
/// removals: whoever holds it sees every store as either marked, not yet visible, or visible.
struct Shared {
  Shared(std::uint64_t queue_bytes_max, std::shared_ptr<Volume> volume, const LastStop& last)
      : backlog(std::move(volume), last, index, steady_now()), queue(queue_bytes_max) {}
  Index index;
  Backlog backlog;
  UsageRings uses;
  JobQueue queue;
  std::mutex removal;
  std::atomic<bool> failing = false;  // the last try to write was in vain
  SharedValue<const policy::Forecast> forecast;
};

class Writer {
 public:
  Writer(std::shared_ptr<Volume> volume, Shared& shared, Gauges gauges,
         const CacheOptions& options);
  ~Writer();

  /// Finishes what was handed over, syncs, and ends the thread. True when everything that a
  /// restart must not bring back is gone from the disk and all is synced.
  bool stop();
  /// The first id that this process gave; after stop().
  std::uint64_t first_id() const { return first_id_; }

 private:
  /// A body to be stored in this round: straight from its fetch, or out of the window.
  struct Pending {
    StoreJob* job = nullptr;
    Pin shown;  // as the window shows it; null: straight
    Incoming incoming;
    bool stored = false;
  };
  void run();
  void read_backlog();
  void give_up_store(const Error& error);
  void refuse(const std::vector<std::unique_ptr<Job>>& jobs);
  void round(const std::vector<std::unique_ptr<Job>>& jobs);
  void take_removals(const std::vector<std::unique_ptr<Job>>& jobs, SteadyTime now);
  void take_values(const std::vector<std::unique_ptr<Job>>& jobs);
  std::vector<Pending> accept(const std::vector<std::unique_ptr<Job>>& jobs, SteadyTime now);
  bool accept_one(StoreJob& job, std::vector<Pending>& accepted, SteadyTime now);
  bool judge(StoreJob& job, std::vector<Pending>& accepted, SteadyTime now);
  bool enter_window(StoreJob& job, SteadyTime now);
  void drain_window(std::uint64_t charge_bytes, std::uint64_t memory_bytes,
                    std::vector<Pending>& accepted, SteadyTime now);
  void leave_window(const std::shared_ptr<Body>& body, std::vector<Pending>& accepted,
                    SteadyTime now);
  void store_window();
  void drop(const Body& body, SteadyTime now);
  std::vector<NewHead> current_heads(const std::vector<std::unique_ptr<Job>>& jobs) const;
  bool write(std::vector<Pending>& accepted, const std::vector<NewHead>& heads, SteadyTime now);
  Result<void> write_once(std::vector<Pending>& accepted, const std::vector<NewHead>& heads,
                          SteadyTime now);
  void reopen(SteadyTime now);
  void give_up_files(const Error& error);
  void give_up(const Pending& pending);
  void renew(std::vector<Pending>& accepted, SteadyTime now);
  void publish(std::vector<Pending>& accepted, SteadyTime now);
  bool show_stored(Pending& pending);
  bool is_overtaken(const Body& body) const;
  void retire(std::vector<Pin> replaced, SteadyTime now);
  void make_durable();
  bool anything_to_write() const;
  void complain(const Error& error);
  void show();
  void show_backlog();
  Incoming make_incoming(const Pending& pending);
  std::shared_ptr<Body> make_body(const StoreJob& job);

  std::shared_ptr<Volume> volume_;
  Shared& shared_;
  Gauges gauges_;
  Holdings holdings_;
  const std::filesystem::path folder_;
  bool given_up_ = false;  // until a restart nothing is stored, and the next start begins empty
  std::uint64_t next_id_ = 1, first_id_ = 1;
  std::vector<std::function<void()>> awaiting_durable_;
  bool unsynced_ = false;            // a commit into the small environment since its last sync
  const std::uint64_t round_bytes_;  // of jobs taken at once: what the window can take in
  std::uint64_t arrivals_ = 0;       // bodies handed over so far
  std::uint64_t leaving_bytes_ = 0;  // on their way from the window into the store, this round
  std::uint64_t evictions_shown_ = 0;
  SteadyTime forecast_at_{};
  SteadyTime last_complaint_{};
  SteadyTime reopen_again_{};  // unusable files are not opened anew before then
  SteadyTime evict_again_{};   // eviction made no room on a full disk: not before then
  Syncer syncer_;
  std::thread thread_;  // last: it uses the others
};

}  // namespace relay::edge::cache
