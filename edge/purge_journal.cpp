// Rows: the number, 8 bytes big-endian, to "1 KIND SOFT AT_MS\nHOST\nTEXT". The row of number 0 is
// "1 RUN" with the number of runs so far; a run's purges are numbered RUN << 32 and up, so that a
// purge that was lost with a crash, unanswered, never shares its number with a later one.
// Of the fleet: "MEMBER\0STAMP", the stamp like a number, to the same text; and MEMBER to
// "1 HIGHEST FLOOR".
#include "edge/purge_journal.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "common/base/log.hpp"

namespace relay::edge {
namespace {

// 65,536 purges, 1,024 of them with a text of up to 8 KiB, a history of 8 MiB, and as much again
// while pages are copied.
constexpr std::uint64_t map_bytes = 128 << 20;
constexpr int run_shift = 32;

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
Result<void> for_each_row(const store::Txn& txn, store::Table table, Take take) {
  auto cursor = store::Cursor::open(txn, table);
  if (!cursor) return std::unexpected(cursor.error());
  auto there = cursor->seek({});
  for (; there && *there; there = cursor->next()) {
    Result<void> taken = take(cursor->key(), cursor->value());
    if (!taken) return taken;
  }
  if (!there) return std::unexpected(there.error());
  return {};
}

/// Takes a number off the front, up to and with `end`.
std::optional<std::uint64_t> take_number(std::string_view& rest, char end) {
  std::uint64_t value = 0;
  auto [stop, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  auto at = static_cast<std::size_t>(stop - rest.data());
  if (error != std::errc{} || at == rest.size() || rest[at] != end) return std::nullopt;
  rest.remove_prefix(at + 1);
  return value;
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
  store::EnvOptions options;
  options.map_size_bytes = map_bytes;
  options.check_pages = true;
  auto env = store::Env::open(folder, options);
  if (!env) return std::unexpected(env.error());
  auto rows = env->table("purges");
  if (!rows) return std::unexpected(rows.error());
  auto fleet = env->table("fleet_purges");
  if (!fleet) return std::unexpected(fleet.error());
  auto reaches = env->table("fleet_reaches");
  if (!reaches) return std::unexpected(reaches.error());
  Opened opened;
  opened.journal.reset(new PurgeJournal(std::move(*env), {*rows, *fleet, *reaches}));
  auto read = opened.journal->read(opened);
  if (!read) return std::unexpected(read.error());
  auto history = opened.journal->read_fleet(opened);
  if (!history) return std::unexpected(history.error());
  auto begun = opened.journal->begin_run(opened);
  if (!begun) return std::unexpected(begun.error());
  return opened;
}

Result<void> PurgeJournal::read(Opened& into) const {
  auto txn = env_.read();
  if (!txn) return std::unexpected(txn.error());
  return for_each_row(*txn, rows_,
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
  auto read = for_each_row(*txn, fleet_, take_purge);
  if (read) read = for_each_row(*txn, reaches_, take_reach);
  return read;
}

Result<void> PurgeJournal::begin_run(Opened& into) {
  std::uint64_t runs = 0;
  {
    auto txn = env_.read();
    if (!txn) return std::unexpected(txn.error());
    auto row = txn->get(rows_, row_key(0));
    if (!row) return std::unexpected(row.error());
    into.known = row->has_value();
    std::string text = into.known ? std::string(**row) + "\n" : "1 0\n";
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
  auto txn = env_.write();
  if (!txn) return std::unexpected(txn.error());
  auto put = txn->put(rows_, row_key(0), fmt::format("1 {}", runs));
  if (!put) return put;
  return txn->commit();
}

Result<void> PurgeJournal::append(std::span<const NumberedPurge> purges,
                                  const PurgeChange& change) {
  auto txn = env_.write();
  if (!txn) return std::unexpected(txn.error());
  Result<void> put;
  for (std::size_t i = 0; put && i < purges.size(); ++i) {
    put = txn->put(rows_, row_key(purges[i].number), encode(purges[i]));
  }
  for (std::size_t i = 0; put && i < change.purges.size(); ++i) {
    const FleetPurge& each = change.purges[i];
    put = txn->put(fleet_, fleet_key(each.id), encode({each.id.stamp, each.at, each.purge}));
  }
  if (!put) return put;
  for (const auto& [member, reach] : change.reaches) {
    put = txn->put(reaches_, member, fmt::format("1 {} {}", reach.highest, reach.floor));
    if (!put) return put;
  }
  for (const PurgeId& id : change.forgotten) {
    auto erased = txn->erase(fleet_, fleet_key(id));
    if (!erased) return std::unexpected(erased.error());
  }
  return txn->commit();
}

Result<void> PurgeJournal::erase_through(std::uint64_t number) {
  auto txn = env_.write();
  if (!txn) return std::unexpected(txn.error());
  std::vector<std::string> keys;
  {
    auto cursor = store::Cursor::open(*txn, rows_);
    if (!cursor) return std::unexpected(cursor.error());
    auto there = cursor->seek(row_key(1));
    for (; there && *there; there = cursor->next()) {
      if (row_number(cursor->key()).value_or(number + 1) > number) break;
      keys.emplace_back(cursor->key());
    }
    if (!there) return std::unexpected(there.error());
  }
  for (const std::string& key : keys) {
    auto erased = txn->erase(rows_, key);
    if (!erased) return std::unexpected(erased.error());
  }
  return txn->commit();
}

}  // namespace relay::edge
