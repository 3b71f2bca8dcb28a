// The purges that a restart must know of, in an LMDB environment of their own behind a log, in
// which each is on disk before it is answered. A row goes once the sweep has taken away what it
// named. Beside them stands what this edge knows of the fleet's purges, to tell it to members that
// missed them. Writing blocks on the disk: call on the blocking pool or on a thread of one's own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/error.hpp"
#include "common/store/lmdb.hpp"
#include "common/store/redo_log.hpp"
#include "edge/journal_row.hpp"
#include "edge/purge_history.hpp"
#include "edge/purge_log.hpp"

namespace relay::edge {

/// The row of a purge, without its number. decode's errors: corrupt (disk).
std::string encode(const NumberedPurge& purge);
Result<NumberedPurge> decode_purge(std::uint64_t number, std::string_view row);

/// Thread-safe.
class PurgeJournal {
 public:
  /// What was found. `known` is false when nothing tells what was purged before: the journal is
  /// new, or was damaged and set aside. Then no stored object may be trusted.
  struct Opened {
    std::unique_ptr<PurgeJournal> journal;
    std::vector<NumberedPurge> purges;  // in the order of numbers
    std::uint64_t run_begins_at = 0;    // above every number of earlier runs
    bool known = false;
    std::map<std::string, PurgeReach> fleet_reaches;
    std::vector<FleetPurge> fleet_purges;  // of each member in the order of stamps
  };
  /// Errors: unavailable (another process has it), no_space and other disk errors.
  static Result<Opened> open(const std::filesystem::path& folder);
  ~PurgeJournal();

  /// The next start will know this journal: call once nothing is stored any more that purges
  /// before it may have named. Open() has done it when the journal was known.
  Result<void> begin();
  /// Purges that are in force here, and what taking them in changes in the history; all or nothing.
  /// On disk and synced when it returns. An LMDB that was given up is opened anew; while it cannot
  /// be, this fails once the log takes no more, until store::reopen_interval has passed.
  Result<void> append(std::span<const NumberedPurge> purges, const PurgeChange& change);
  /// Rows up to the number are needed no more; they go in time.
  Result<void> erase_through(std::uint64_t number);

 private:
  struct Tables {
    store::Table rows, fleet, reaches, log;
  };
  PurgeJournal(std::filesystem::path folder, store::Env env, Tables tables, store::RedoLog log)
      : folder_(std::move(folder)), env_(std::move(env)), tables_(tables), log_(std::move(log)) {}
  static store::EnvOptions env_options();
  static Result<Tables> open_tables(store::Env& env);
  static Result<store::RedoLog::Opened> open_log(const std::filesystem::path& folder,
                                                 store::Env& env, store::Table log_table);
  static Result<void> remember(store::WriteTxn& txn, store::Table log_table, std::uint64_t taken);
  Result<void> redo(std::span<const store::RedoLog::Record> records);
  Result<void> keep(std::span<const JournalRow> more);
  Result<void> take_over(std::span<const JournalRow> more);
  bool reopen();
  Result<void> put_rows(store::WriteTxn& txn, std::span<const JournalRow> rows) const;
  Result<void> erase_rows(store::WriteTxn& txn, std::uint64_t through) const;
  static Result<Opened> open_once(const std::filesystem::path& folder);
  Result<void> read(Opened& into) const;
  Result<void> read_fleet(Opened& into) const;
  Result<void> begin_run(Opened& into);
  Result<void> write_run(std::uint64_t runs);

  const std::filesystem::path folder_;
  store::Env env_;
  Tables tables_;
  std::mutex mutex_;  // held while the disk writes, and while LMDB is opened anew
  store::RedoLog log_;
  std::vector<JournalRow> waiting_;   // in the log, and not yet in LMDB
  std::uint64_t erased_through_ = 0;  // still to be erased there
  bool in_doubt_ = false;             // whether LMDB has what waits: see take_over()
  SteadyTime reopen_again_{};         // it is not opened anew before then
};

}  // namespace relay::edge
