// The LMDB of the journal of purges: how it is opened, and opened anew when LMDB has given up its
// files. The log goes on meanwhile, as far as it has room.
#include <iterator>
#include <utility>

#include "common/base/log.hpp"
#include "edge/purge_journal.hpp"

namespace relay::edge {
namespace {

// 65,536 purges, 1,024 of them with a text of up to 8 KiB, a history of 8 MiB, and as much again
// while pages are copied.
constexpr std::uint64_t map_bytes = 128 << 20;
constexpr std::string_view table_names[] = {"purges", "fleet_purges", "fleet_reaches",
                                            "taken_over"};

}  // namespace

store::EnvOptions PurgeJournal::env_options() {
  store::EnvOptions options;
  options.map_size_bytes = map_bytes;
  options.check_pages = true;
  options.tables = table_names;
  return options;
}

Result<PurgeJournal::Tables> PurgeJournal::open_tables(store::Env& env) {
  Tables tables;
  store::Table* const places[] = {&tables.rows, &tables.fleet, &tables.reaches, &tables.log};
  for (std::size_t i = 0; i < std::size(places); ++i) {
    auto table = env.table(table_names[i].data());
    if (!table) return std::unexpected(table.error());
    *places[i] = *table;
  }
  return tables;
}

/// Into LMDB, and once more if that was given up and could be opened anew: the file is as after the
/// last commit that went through, or as after the failed one, and the same rows fit both.
Result<void> PurgeJournal::keep(std::span<const JournalRow> more) {
  auto taken = take_over(more);
  return taken || !reopen() ? taken : take_over(more);
}

/// False: there was no need, or it cannot be done now. Under the lock.
bool PurgeJournal::reopen() {
  if (env_.usable() || steady_now() < reopen_again_) return false;
  auto opened = env_.reopen(folder_, env_options());
  auto tables = opened ? open_tables(env_) : std::unexpected(opened.error());
  if (tables) {
    tables_ = *tables;
    log::warn("purge journal opened anew", {kv("path", folder_.string())});
    return true;
  }
  env_.close(folder_);  // else it would be taken for usable, with tables of before
  reopen_again_ = steady_now() + store::reopen_interval;
  log::error("purge journal cannot be opened",
             {kv("path", folder_.string()), kv("why", tables.error().message)});
  return false;
}

}  // namespace relay::edge
