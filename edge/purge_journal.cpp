// Written twice: first as a record of the log "redo", with one flush, which is when an append is
// done; later, with all that have come meanwhile, into LMDB, which takes two. A start takes over
// what LMDB does not have yet.
//
// Rows: the number, 8 bytes big-endian, to "1 KIND SOFT AT_MS\nHOST\nTEXT". The row of number 0 is
// "1 RUN" with the number of runs so far; a run's purges are numbered RUN << 32 and up, so that a
// purge that was lost with a crash, unanswered, never shares its number with a later one.
// Of the fleet: "MEMBER\0STAMP", the stamp like a number, to the same text; and MEMBER to
// "1 HIGHEST FLOOR". Every value is sealed (journal_row.hpp).
#include "edge/purge_journal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "common/base/log.hpp"

namespace relay::edge {
namespace {

constexpr int run_shift = 32;
constexpr std::size_t log_bytes = 256 << 10;
// In the table of that name: the number of the newest record of the log that LMDB has.
constexpr std::string_view taken_over = "taken_over";

std::unexpected<Error> corrupt(std::string what) {
  return fail(ErrorKind::corrupt, ErrorSource::disk, std::move(what));
}

std::string row_key(std::uint64_t number) {
  std::string key(8, '\0');
  for (std::size_t i = 8; i > 0; --i, number >>= 8) key[i - 1] = static_cast<char>(number);
  return key;
}

std::optional<std::uint64_t> row_number(std::string_view key) {
  if (key.size() != 8) return std::nullopt;
  std::uint64_t number = 0;
  for (char byte : key) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

std::string fleet_key(const PurgeId& id) {
  return id.member + '\0' + row_key(id.stamp);
}

std::optional<PurgeId> fleet_id(std::string_view key) {
  std::size_t end = key.find('\0');
  auto stamp = end == key.npos ? std::nullopt : row_number(key.substr(end + 1));
  if (!stamp) return std::nullopt;
  return PurgeId{std::string(key.substr(0, end)), *stamp};
}

/// Until one is refused; `take` gets key and value.
template <class Take>
Result<void> for_each_row(const store::Txn& txn, store::Table table, JournalTable of, Take take) {
  auto cursor = store::Cursor::open(txn, table);
  if (!cursor) return std::unexpected(cursor.error());
  auto there = cursor->seek({});
  for (; there && *there; there = cursor->next()) {
    auto value = unseal(of, cursor->key(), cursor->value());
    if (!value) return corrupt("a row of the purge journal is damaged");
    Result<void> taken = take(cursor->key(), *value);
    if (!taken) return taken;
  }
  if (!there) return std::unexpected(there.error());
  return {};
}

std::vector<JournalRow> rows_of(std::span<const NumberedPurge> purges, const PurgeChange& change) {
  std::vector<JournalRow> rows;
  for (const NumberedPurge& each : purges) {
    rows.push_back({JournalTable::purges, row_key(each.number), encode(each)});
  }
  for (const FleetPurge& each : change.purges) {
    rows.push_back(
        {JournalTable::fleet, fleet_key(each.id), encode({each.id.stamp, each.at, each.purge})});
  }
  for (const auto& [member, reach] : change.reaches) {
    rows.push_back(
        {JournalTable::reaches, member, fmt::format("1 {} {}", reach.highest, reach.floor)});
  }
  for (const PurgeId& id : change.forgotten) {
    rows.push_back({JournalTable::fleet, fleet_key(id), std::nullopt});
  }
  return rows;
}

/// How much of the log LMDB has.
struct Taken {
  std::uint64_t number = 0;
  bool had_log = false;
  bool older = false;  // the log is of the form before frames
};

Result<Taken> taken_of(const store::Env& env, store::Table log_table) {
  auto txn = env.read();
  if (!txn) return std::unexpected(txn.error());
  auto row = txn->get(log_table, taken_over);
  if (!row) return std::unexpected(row.error());
  if (!*row) return Taken{};
  auto value = unseal(JournalTable::log, taken_over, **row);
  std::string text = value ? std::string(*value) + "\n" : "";
  std::string_view rest = text;
  auto number = take_number(rest, '\n');
  if (!number) return corrupt("how much of the purge journal's log was taken over is not told");
  return Taken{*number, true, !is_sealed(**row)};
}

/// Records stood one behind the other in it: 4 bytes length, 8 number, and so on. The oldest that
/// may be wanted is the first; it was taken over when the edge was stopped, not when it was killed.
Result<void> retire_older_log(const std::filesystem::path& path, std::uint64_t taken) {
  auto text = store::read_file(path);
  if (!text) return std::unexpected(text.error());
  std::uint64_t number = 0;
  for (std::size_t at = 12; at > 4 && text->size() >= 12; --at) {
    number = number << 8 | static_cast<unsigned char>((*text)[at - 1]);
  }
  if (number > taken) return corrupt("the purge journal's log is of an older form, and not done");
  log::info("the purge journal's log is made anew", {kv("path", path.string())});
  return store::remove_file(path);
}

}  // namespace

std::string encode(const NumberedPurge& purge) {
  return fmt::format("1 {} {} {}\n{}\n{}", static_cast<int>(purge.purge.by),
                     purge.purge.soft ? 1 : 0, purge.at.time_since_epoch().count(),
                     purge.purge.host, purge.purge.text);
}

Result<NumberedPurge> decode_purge(std::uint64_t number, std::string_view row) {
  auto version = take_number(row, ' ');
  auto kind = take_number(row, ' ');
  auto soft = take_number(row, ' ');
  auto at = take_number(row, '\n');
  std::size_t line = row.find('\n');
  bool fits = version == 1u && kind && *kind <= static_cast<unsigned>(PurgeBy::all) && soft &&
              *soft <= 1 && at && line != row.npos;
  if (!fits) return corrupt("a row of the purge journal is not readable");
  Purge purge{static_cast<PurgeBy>(*kind), std::string(row.substr(line + 1)),
              std::string(row.substr(0, line)), *soft == 1};
  return NumberedPurge{number, WallTime(std::chrono::milliseconds(*at)), std::move(purge)};
}

PurgeJournal::~PurgeJournal() {
  std::lock_guard lock(mutex_);
  if (waiting_.empty() && erased_through_ == 0) return;
  if (auto taken = keep({}); !taken) {
    log::warn("purges stay in the log of their journal", {kv("why", taken.error().message)});
  }
}

Result<PurgeJournal::Opened> PurgeJournal::open(const std::filesystem::path& folder) {
  auto opened = open_once(folder);
  if (opened || opened.error().kind != ErrorKind::corrupt) return opened;
  log::warn("purge journal set aside",
            {kv("path", folder.string()), kv("why", opened.error().message)});
  std::error_code error;
  std::filesystem::remove_all(folder, error);
  if (error) return std::unexpected(disk_error("cannot remove " + folder.string(), error.value()));
  return open_once(folder);
}

Result<PurgeJournal::Opened> PurgeJournal::open_once(const std::filesystem::path& folder) {
  auto env = store::Env::open(folder, env_options());
  if (!env) return std::unexpected(env.error());
  auto tables = open_tables(*env);
  if (!tables) return std::unexpected(tables.error());
  auto log = open_log(folder, *env, tables->log);
  if (!log) return std::unexpected(log.error());
  Opened opened;
  opened.journal.reset(new PurgeJournal(folder, std::move(*env), *tables, std::move(log->log)));
  auto redone = opened.journal->redo(log->records);
  if (!redone) return std::unexpected(redone.error());
  auto read = opened.journal->read(opened);
  if (!read) return std::unexpected(read.error());
  auto history = opened.journal->read_fleet(opened);
  if (!history) return std::unexpected(history.error());
  auto begun = opened.journal->begin_run(opened);
  if (!begun) return std::unexpected(begun.error());
  return opened;
}

/// The log, with the records that LMDB does not have yet.
Result<store::RedoLog::Opened> PurgeJournal::open_log(const std::filesystem::path& folder,
                                                      store::Env& env, store::Table log_table) {
  auto taken = taken_of(env, log_table);
  if (!taken) return std::unexpected(taken.error());
  std::filesystem::path path = folder / "redo";
  std::error_code error;
  bool is_there = std::filesystem::exists(path, error);
  if (error) {
    return std::unexpected(disk_error("cannot look for " + path.string(), error.value()));
  }
  if (taken->had_log && !is_there) return corrupt("the purge journal's log is gone");
  if (taken->had_log && taken->older) {
    auto retired = retire_older_log(path, taken->number);
    if (!retired) return std::unexpected(retired.error());
  }
  auto log = store::RedoLog::open(path, log_bytes, taken->number);
  if (!log || (taken->had_log && !taken->older)) return log;
  // From now on it is missed when it is gone.
  auto txn = env.write();
  if (!txn) return std::unexpected(txn.error());
  auto put = remember(*txn, log_table, taken->number);
  if (put) put = txn->commit();
  if (!put) return std::unexpected(put.error());
  return log;
}

Result<void> PurgeJournal::remember(store::WriteTxn& txn, store::Table log_table,
                                    std::uint64_t taken) {
  return txn.put(log_table, taken_over, seal(JournalTable::log, taken_over, std::to_string(taken)));
}

Result<void> PurgeJournal::redo(std::span<const store::RedoLog::Record> records) {
  std::vector<JournalRow> rows;
  for (const auto& record : records) {
    auto told = read_rows(record.bytes);
    if (!told) return corrupt("a record of the purge journal's log is not readable");
    std::ranges::move(*told, std::back_inserter(rows));
  }
  return log_.all_taken() ? Result<void>{} : take_over(rows);
}

Result<void> PurgeJournal::read(Opened& into) const {
  auto txn = env_.read();
  if (!txn) return std::unexpected(txn.error());
  return for_each_row(*txn, tables_.rows, JournalTable::purges,
                      [&](std::string_view key, std::string_view value) -> Result<void> {
                        auto number = row_number(key);
                        if (!number) return corrupt("a key of the purge journal is not readable");
                        if (*number == 0) return {};
                        auto purge = decode_purge(*number, value);
                        if (!purge) return std::unexpected(purge.error());
                        into.purges.push_back(std::move(*purge));
                        return {};
                      });
}

Result<void> PurgeJournal::read_fleet(Opened& into) const {
  auto txn = env_.read();
  if (!txn) return std::unexpected(txn.error());
  auto take_purge = [&](std::string_view key, std::string_view value) -> Result<void> {
    auto id = fleet_id(key);
    if (!id) return corrupt("a key of the purge history is not readable");
    auto purge = decode_purge(id->stamp, value);
    if (!purge) return std::unexpected(purge.error());
    into.fleet_purges.push_back({std::move(*id), purge->at, std::move(purge->purge)});
    return {};
  };
  auto take_reach = [&](std::string_view key, std::string_view value) -> Result<void> {
    std::string text = std::string(value) + "\n";
    std::string_view rest = text;
    auto version = take_number(rest, ' ');
    auto highest = take_number(rest, ' ');
    auto floor = take_number(rest, '\n');
    if (version != 1u || !highest || !floor) return corrupt("a reach of purges is not readable");
    into.fleet_reaches[std::string(key)] = {*highest, *floor};
    return {};
  };
  auto read = for_each_row(*txn, tables_.fleet, JournalTable::fleet, take_purge);
  if (read) read = for_each_row(*txn, tables_.reaches, JournalTable::reaches, take_reach);
  return read;
}

Result<void> PurgeJournal::begin_run(Opened& into) {
  std::uint64_t runs = 0;
  {
    auto txn = env_.read();
    if (!txn) return std::unexpected(txn.error());
    auto row = txn->get(tables_.rows, row_key(0));
    if (!row) return std::unexpected(row.error());
    into.known = row->has_value();
    auto value = into.known ? unseal(JournalTable::purges, row_key(0), **row) : "1 0";
    std::string text = value ? std::string(*value) + "\n" : "";
    std::string_view rest = text;
    auto version = take_number(rest, ' ');
    auto found = take_number(rest, '\n');
    if (version != 1u || !found) return corrupt("the purge journal is of an unknown version");
    runs = *found + 1;
  }
  into.run_begins_at = runs << run_shift;
  return into.known ? write_run(runs) : Result<void>{};
}

Result<void> PurgeJournal::begin() {
  return write_run(1);
}

Result<void> PurgeJournal::write_run(std::uint64_t runs) {
  std::lock_guard lock(mutex_);
  auto txn = env_.write();
  if (!txn) return std::unexpected(txn.error());
  std::string value = fmt::format("1 {}", runs);
  auto put = txn->put(tables_.rows, row_key(0), seal(JournalTable::purges, row_key(0), value));
  if (!put) return put;
  return txn->commit();
}

Result<void> PurgeJournal::append(std::span<const NumberedPurge> purges,
                                  const PurgeChange& change) {
  std::vector<JournalRow> rows = rows_of(purges, change);
  std::string record;
  for (const JournalRow& row : rows) add(record, row);
  std::lock_guard lock(mutex_);
  if (!in_doubt_ && log_.takes(record.size())) {
    auto kept = log_.append(record);
    if (kept) {
      std::ranges::move(rows, std::back_inserter(waiting_));
      return {};
    }
    log::warn("the purge journal's log fails", {kv("why", kept.error().message)});
  }
  return keep(rows);
}

/// What waits, and `more` behind it. After a commit that LMDB gave up nobody knows whether it has
/// them: then the log takes no more before a commit went through. A record that stood behind others
/// that are taken over would be looked for in their place, and not be found.
Result<void> PurgeJournal::take_over(std::span<const JournalRow> more) {
  auto txn = env_.write();
  if (!txn) return std::unexpected(txn.error());
  for (std::span<const JournalRow> rows : {std::span<const JournalRow>(waiting_), more}) {
    if (auto put = put_rows(*txn, rows); !put) return put;
  }
  if (auto erased = erase_rows(*txn, erased_through_); !erased) return erased;
  auto put = remember(*txn, tables_.log, log_.last());
  if (put) put = txn->commit();
  if (!put) {
    in_doubt_ = in_doubt_ || !env_.usable();
    return put;
  }
  in_doubt_ = false;
  waiting_.clear();
  erased_through_ = 0;
  log_.clear();
  return {};
}

Result<void> PurgeJournal::put_rows(store::WriteTxn& txn, std::span<const JournalRow> rows) const {
  const store::Table places[] = {tables_.rows, tables_.fleet, tables_.reaches};
  for (const JournalRow& row : rows) {
    store::Table table = places[static_cast<std::size_t>(row.of)];
    if (row.value) {
      auto put = txn.put(table, row.key, seal(row.of, row.key, *row.value));
      if (!put) return put;
    } else if (auto erased = txn.erase(table, row.key); !erased) {
      return std::unexpected(erased.error());
    }
  }
  return {};
}

Result<void> PurgeJournal::erase_rows(store::WriteTxn& txn, std::uint64_t through) const {
  std::vector<std::string> keys;
  {
    auto cursor = store::Cursor::open(txn, tables_.rows);
    if (!cursor) return std::unexpected(cursor.error());
    auto there = cursor->seek(row_key(1));
    for (; there && *there; there = cursor->next()) {
      if (row_number(cursor->key()).value_or(through + 1) > through) break;
      keys.emplace_back(cursor->key());
    }
    if (!there) return std::unexpected(there.error());
  }
  for (const std::string& key : keys) {
    auto erased = txn.erase(tables_.rows, key);
    if (!erased) return std::unexpected(erased.error());
  }
  return {};
}

Result<void> PurgeJournal::erase_through(std::uint64_t number) {
  std::lock_guard lock(mutex_);
  erased_through_ = std::max(erased_through_, number);
  return log_.used_bytes() < log_bytes / 2 && !in_doubt_ ? Result<void>{} : keep({});
}

}  // namespace relay::edge
