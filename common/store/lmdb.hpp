// LMDB with owners: an Env a path, transactions that end with their scope, commit by name only.
// Rules of lmdb.h that hold here: one Env a process and path; a write transaction begins and ends
// on one thread; a value view dies with its transaction; never co_await inside a transaction.
// MDB_NOTLS is always set.
#pragma once

#include <lmdb.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/error.hpp"
#include "common/store/file.hpp"

namespace relay::store {

struct EnvOptions {
  std::uint64_t map_size_bytes = 1ull << 30;  // fixed at open; the file is sparse
  unsigned tables_max = 16;
  unsigned readers_max = 256;
  unsigned flags = 0;  // of mdb_env_open: MDB_NORDAHEAD, MDB_NOSYNC, …
  /// Check the pages before LMDB believes them (page_check.hpp). Reads all of the trees.
  bool check_pages = false;
  std::string_view unread_table = {};  // see page_check.hpp, as for the next
  std::span<const std::string_view> tables = {};
};

/// Between two attempts of who cannot open a given-up environment anew.
inline constexpr std::chrono::seconds reopen_interval{10};

class Table {
 public:
  MDB_dbi dbi = 0;
};

/// Shared by both kinds of transaction: what can be read.
class Txn {
 public:
  Txn(const Txn&) = delete;
  Txn& operator=(const Txn&) = delete;
  Txn(Txn&& other) noexcept : txn_(std::exchange(other.txn_, nullptr)) {}
  ~Txn();
  /// The view lives as long as the transaction (and, written to, until its next write).
  Result<std::optional<std::string_view>> get(Table table, std::string_view key) const;
  /// How many records the table has.
  Result<std::size_t> entries(Table table) const;
  /// Bytes of the pages that they take.
  Result<std::uint64_t> bytes(Table table) const;
  MDB_txn* raw() const { return txn_; }

 protected:
  explicit Txn(MDB_txn* txn) : txn_(txn) {}
  MDB_txn* txn_ = nullptr;
};

class ReadTxn : public Txn {
 private:
  friend class Env;
  using Txn::Txn;
};

/// Dropped without commit(): nothing happened.
class WriteTxn : public Txn {
 public:
  Result<void> put(Table table, std::string_view key, std::string_view value);
  /// Room for a value of n bytes to be filled in before the next write (MDB_RESERVE).
  Result<char*> reserve(Table table, std::string_view key, std::size_t n);
  /// False when there was no such key.
  Result<bool> erase(Table table, std::string_view key);
  Result<void> commit();

 private:
  friend class Env;
  using Txn::Txn;
};

/// Walks keys in order. Lives inside its transaction.
class Cursor {
 public:
  static Result<Cursor> open(const Txn& txn, Table table);
  Cursor(Cursor&& other) noexcept : cursor_(std::exchange(other.cursor_, nullptr)) {}
  Cursor& operator=(Cursor&&) = delete;
  ~Cursor();
  /// First key >= `at`; false at the end.
  Result<bool> seek(std::string_view at);
  Result<bool> next();
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }

 private:
  explicit Cursor(MDB_cursor* cursor) : cursor_(cursor) {}
  Result<bool> move(MDB_cursor_op op, std::string_view at);
  MDB_cursor* cursor_;
  std::string_view key_, value_;
};

class Env {
 public:
  /// Makes the folder and takes it for this process alone (a lock that dies with the process).
  /// Errors: corrupt, no_space, or unavailable when another Env has the folder open. Without
  /// check_pages LMDB may crash on a damaged file.
  static Result<Env> open(const std::filesystem::path& folder, const EnvOptions& options);
  Env(Env&& other) noexcept
      : owner_(std::move(other.owner_)), env_(std::exchange(other.env_, nullptr)) {}
  Env& operator=(Env&&) = delete;
  ~Env();
  /// Opens or makes a named table. At start-up only, with no transaction open.
  Result<Table> table(const char* name);
  /// Whether there is such a table. At start-up only as well.
  Result<bool> has_table(const char* name) const;
  Result<ReadTxn> read() const;
  Result<WriteTxn> write();
  Result<void> sync();
  /// False after a failed write of LMDB's meta page: it refuses every transaction from then on. And
  /// after a page of a tree could not be had from the disk: every call is refused here then.
  bool usable() const;
  /// Closes the database and opens it anew, with the folder held throughout. No transaction is
  /// open, no other thread is inside, and tables have to be opened again. After an error it stays
  /// closed, and unusable.
  Result<void> reopen(const std::filesystem::path& folder, const EnvOptions& options);
  /// As after a reopen() that failed; under the same rules.
  void close(const std::filesystem::path& folder);
  MDB_env* raw() const { return env_; }

 private:
  Env(UniqueFd owner, MDB_env* env) : owner_(std::move(owner)), env_(env) {}
  UniqueFd owner_;  // the locked file "owner": one Env a folder, whichever the process
  MDB_env* env_ = nullptr;
};

/// Calls `each(key, value)` for every record of the table, in the order of keys.
template <class Each>
Result<void> walk(const Env& env, Table table, Each&& each) {
  auto txn = env.read();
  if (!txn) return std::unexpected(txn.error());
  auto cursor = Cursor::open(*txn, table);
  if (!cursor) return std::unexpected(cursor.error());
  auto there = cursor->seek({});
  for (; there && *there; there = cursor->next()) each(cursor->key(), cursor->value());
  if (!there) return std::unexpected(there.error());
  return {};
}

/// MDB_MAP_FULL and disk-full become no_space; MDB_CORRUPTED and the like become corrupt.
Error lmdb_error(std::string what, int code);

}  // namespace relay::store
