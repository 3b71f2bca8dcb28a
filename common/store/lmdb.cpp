#include "common/store/lmdb.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <vector>

#include "common/base/check.hpp"
#include "common/store/mapped_read.hpp"
#include "common/store/page_check.hpp"

namespace relay::store {
namespace {

std::unexpected<Error> lmdb_failed(std::string what, int code) {
  return std::unexpected(lmdb_error(std::move(what), code));
}

/// What an environment carries: whether LMDB was left in the middle of a call.
using Lost = std::atomic<bool>;

Lost& lost_of(MDB_env* env) {
  return *static_cast<Lost*>(mdb_env_get_userctx(env));
}

/// What is left of lost ones, so that it does not look forgotten.
void leave_behind(void* thing) {
  static std::mutex mutex;
  static auto* things = new std::vector<void*>;
  std::lock_guard lock(mutex);
  things->push_back(thing);
}

bool is_lost(MDB_txn* txn) {
  return lost_of(mdb_txn_env(txn));
}

/// A call of LMDB that reads or writes trees, which it does in its map. When a page of it cannot be
/// had, or one that is wrong leads LMDB astray, the call is left where it stands, and what belongs
/// to the environment is left alone for good: it is full of things half done.
template <class Call>
int ask(MDB_env* env, const Call& call) {
  Lost& lost = lost_of(env);
  if (lost) return MDB_CORRUPTED;
  volatile int code = MDB_CORRUPTED;
  if (!read_mapped([&] { code = call(); }, MappedRead::Faults::any_memory)) lost = true;
  return code;
}

template <class Call>
int ask(MDB_txn* txn, const Call& call) {
  return ask(mdb_txn_env(txn), call);
}

/// LMDB takes pointers to mutable bytes but never writes through a key or a value to put.
MDB_val borrow(std::string_view bytes) {
  return MDB_val{bytes.size(), const_cast<char*>(bytes.data())};
}

std::string_view view(const MDB_val& value) {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

Result<UniqueFd> own(const std::filesystem::path& folder) {
  std::filesystem::path path = folder / "owner";
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd) return std::unexpected(disk_error("cannot open " + path.string(), errno));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno != EWOULDBLOCK) {
    return std::unexpected(disk_error("cannot lock " + path.string(), errno));
  }
  return fail(ErrorKind::unavailable, ErrorSource::disk,
              folder.string() + " is in use by another process; give each its own folder");
}

Result<void> check_file(const std::filesystem::path& path, const EnvOptions& options) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd && errno == ENOENT) return {};
  if (!fd) return std::unexpected(disk_error("cannot open " + path.string(), errno));
  auto bytes = size_of(fd.get());
  if (!bytes) return std::unexpected(bytes.error());
  if (*bytes == 0) return {};
  void* map = ::mmap(nullptr, *bytes, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (map == MAP_FAILED) return std::unexpected(disk_error("cannot map " + path.string(), errno));
  // Trees lie scattered among the values: only their pages are read, but a disk does many at once.
  ::madvise(map, *bytes, MADV_RANDOM);
  auto ahead = [](std::string_view page) {
    ::madvise(const_cast<char*>(page.data()), page.size(), MADV_WILLNEED);
  };
  std::string_view file(static_cast<const char*>(map), *bytes);
  MappedRead guard(file.data(), file.size());
  auto checked = check_pages(file, {options.unread_table, options.tables}, ahead);
  ::munmap(map, *bytes);
  if (guard.any_missing()) {
    return fail(ErrorKind::corrupt, ErrorSource::disk, path.string() + " cannot be read in full");
  }
  return checked;
}

int open_env(MDB_env* env, const std::filesystem::path& folder, const EnvOptions& options) {
  int code = mdb_env_set_mapsize(env, options.map_size_bytes);
  if (code == 0) code = mdb_env_set_maxdbs(env, options.tables_max);
  if (code == 0) code = mdb_env_set_maxreaders(env, options.readers_max);
  if (code == 0) code = mdb_env_open(env, folder.c_str(), options.flags | MDB_NOTLS, 0644);
  // Readers of a process that was killed would keep their pages from being used again.
  int dead = 0;
  if (code == 0) code = mdb_reader_check(env, &dead);
  return code;
}

/// One that is lost stays as it is, with its memory.
void close_env(MDB_env* env) {
  std::unique_ptr<Lost> lost(&lost_of(env));
  if (!*lost) return mdb_env_close(env);
  (void)lost.release();
  leave_behind(env);
}

Result<MDB_env*> make_env(const std::filesystem::path& folder, const EnvOptions& options) {
  if (options.check_pages) {
    auto checked = check_file(folder / "data.mdb", options);
    if (!checked) return std::unexpected(checked.error());
  }
  MDB_env* env = nullptr;
  int code = mdb_env_create(&env);
  if (code != 0) return lmdb_failed("cannot make an LMDB environment", code);
  auto lost = std::make_unique<Lost>(false);
  mdb_env_set_userctx(env, lost.get());
  // A page that is not what LMDB takes it for: it would end the process.
  mdb_env_set_assert(env, [](MDB_env*, const char*) { MappedRead::leave(); });
  code = ask(env, [&] { return open_env(env, folder, options); });
  if (code == 0) {
    (void)lost.release();  // close_env() has it
    return env;
  }
  (void)lost.release();
  close_env(env);
  return lmdb_failed("cannot open the database in " + folder.string(), code);
}

std::unexpected<Error> closed() {
  return fail(ErrorKind::unavailable, ErrorSource::disk, "the database is closed");
}

bool is_corruption(int code) {
  return code == MDB_CORRUPTED || code == MDB_PAGE_NOTFOUND || code == MDB_INVALID ||
         code == MDB_VERSION_MISMATCH || code == MDB_PANIC || code == MDB_INCOMPATIBLE ||
         code == MDB_CURSOR_FULL;
}

}  // namespace

Error lmdb_error(std::string what, int code) {
  if (code > 0) return disk_error(std::move(what), code);
  Error error{ErrorKind::internal, ErrorSource::disk, false,
              std::move(what) + ": " + mdb_strerror(code)};
  if (code == MDB_MAP_FULL) {
    error.kind = ErrorKind::no_space;
    error.retry = true;
  } else if (code == MDB_READERS_FULL) {
    error.kind = ErrorKind::unavailable;
    error.retry = true;
  } else if (is_corruption(code)) {
    error.kind = ErrorKind::corrupt;
  }
  return error;
}

Txn::~Txn() {
  if (!txn_) return;
  is_lost(txn_) ? leave_behind(txn_) : mdb_txn_abort(txn_);
}

Result<std::optional<std::string_view>> Txn::get(Table table, std::string_view key) const {
  RELAY_CHECK(txn_);
  MDB_val at = borrow(key), value{};
  int code = ask(txn_, [&] { return mdb_get(txn_, table.dbi, &at, &value); });
  if (code == MDB_NOTFOUND) return std::optional<std::string_view>();
  if (code != 0) return lmdb_failed("cannot read a record", code);
  return std::optional(view(value));
}

Result<std::size_t> Txn::entries(Table table) const {
  RELAY_CHECK(txn_);
  MDB_stat stat{};
  int code = ask(txn_, [&] { return mdb_stat(txn_, table.dbi, &stat); });
  if (code != 0) return lmdb_failed("cannot count a table", code);
  return stat.ms_entries;
}

Result<std::uint64_t> Txn::bytes(Table table) const {
  RELAY_CHECK(txn_);
  MDB_stat stat{};
  int code = ask(txn_, [&] { return mdb_stat(txn_, table.dbi, &stat); });
  if (code != 0) return lmdb_failed("cannot measure a table", code);
  return (stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages) * stat.ms_psize;
}

Result<void> WriteTxn::put(Table table, std::string_view key, std::string_view value) {
  RELAY_CHECK(txn_);
  MDB_val at = borrow(key), bytes = borrow(value);
  int code = ask(txn_, [&] { return mdb_put(txn_, table.dbi, &at, &bytes, 0); });
  if (code != 0) return lmdb_failed("cannot store a record", code);
  return {};
}

Result<char*> WriteTxn::reserve(Table table, std::string_view key, std::size_t n) {
  RELAY_CHECK(txn_);
  MDB_val at = borrow(key), room{n, nullptr};
  int code = ask(txn_, [&] { return mdb_put(txn_, table.dbi, &at, &room, MDB_RESERVE); });
  if (code != 0) return lmdb_failed("cannot make room for a record", code);
  return static_cast<char*>(room.mv_data);
}

Result<bool> WriteTxn::erase(Table table, std::string_view key) {
  RELAY_CHECK(txn_);
  MDB_val at = borrow(key);
  int code = ask(txn_, [&] { return mdb_del(txn_, table.dbi, &at, nullptr); });
  if (code == MDB_NOTFOUND) return false;
  if (code != 0) return lmdb_failed("cannot remove a record", code);
  return true;
}

Result<void> WriteTxn::commit() {
  RELAY_CHECK(txn_);
  MDB_txn* txn = std::exchange(txn_, nullptr);  // which is freed, whatever the answer
  int code = ask(txn, [&] { return mdb_txn_commit(txn); });
  if (code != 0) return lmdb_failed("cannot commit", code);
  return {};
}

Result<Cursor> Cursor::open(const Txn& txn, Table table) {
  RELAY_CHECK(txn.raw());
  MDB_cursor* cursor = nullptr;
  int code = ask(txn.raw(), [&] { return mdb_cursor_open(txn.raw(), table.dbi, &cursor); });
  if (code != 0) return lmdb_failed("cannot walk a table", code);
  return Cursor(cursor);
}

Cursor::~Cursor() {
  if (!cursor_) return;
  is_lost(mdb_cursor_txn(cursor_)) ? leave_behind(cursor_) : mdb_cursor_close(cursor_);
}

Result<bool> Cursor::seek(std::string_view at) {
  // LMDB knows no empty key; the first key of all is the first one at or after it.
  return at.empty() ? move(MDB_FIRST, at) : move(MDB_SET_RANGE, at);
}

Result<bool> Cursor::next() {
  return move(MDB_NEXT, {});
}

Result<bool> Cursor::move(MDB_cursor_op op, std::string_view at) {
  MDB_val found = borrow(at), value{};
  int code =
      ask(mdb_cursor_txn(cursor_), [&] { return mdb_cursor_get(cursor_, &found, &value, op); });
  key_ = value_ = {};
  if (code == MDB_NOTFOUND) return false;
  if (code != 0) return lmdb_failed("cannot walk a table", code);
  key_ = view(found);
  value_ = view(value);
  return true;
}

Result<Env> Env::open(const std::filesystem::path& folder, const EnvOptions& options) {
  auto made = make_folders(folder);
  if (!made) return std::unexpected(made.error());
  auto owner = own(folder);
  if (!owner) return std::unexpected(owner.error());
  auto env = make_env(folder, options);
  if (!env) return std::unexpected(env.error());
  return Env(std::move(*owner), *env);
}

void Env::close(const std::filesystem::path& folder) {
  if (!env_) return;
  std::error_code ignored;
  // A lock in the file that is left locked must not be made anew under who holds it.
  if (lost_of(env_)) std::filesystem::remove(folder / "lock.mdb", ignored);
  close_env(std::exchange(env_, nullptr));
}

Result<void> Env::reopen(const std::filesystem::path& folder, const EnvOptions& options) {
  close(folder);
  auto env = make_env(folder, options);
  if (!env) return std::unexpected(env.error());
  env_ = *env;
  return {};
}

bool Env::usable() const {
  return read().has_value();
}

Env::~Env() {
  if (env_) close_env(env_);
}

Result<Table> Env::table(const char* name) {
  auto txn = write();
  if (!txn) return std::unexpected(txn.error());
  Table table;
  int code = ask(env_, [&] { return mdb_dbi_open(txn->raw(), name, MDB_CREATE, &table.dbi); });
  if (code != 0) return lmdb_failed(std::string("cannot open the table ") + name, code);
  auto committed = txn->commit();
  if (!committed) return std::unexpected(committed.error());
  return table;
}

Result<bool> Env::has_table(const char* name) const {
  auto txn = read();
  if (!txn) return std::unexpected(txn.error());
  MDB_dbi dbi = 0;
  int code = ask(env_, [&] { return mdb_dbi_open(txn->raw(), name, 0, &dbi); });
  if (code == MDB_NOTFOUND) return false;
  if (code != 0) return lmdb_failed(std::string("cannot look for the table ") + name, code);
  return true;
}

Result<ReadTxn> Env::read() const {
  if (!env_) return closed();
  MDB_txn* txn = nullptr;
  int code = ask(env_, [&] { return mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn); });
  if (code != 0) return lmdb_failed("cannot begin reading", code);
  return ReadTxn(txn);
}

Result<WriteTxn> Env::write() {
  if (!env_) return closed();
  MDB_txn* txn = nullptr;
  int code = ask(env_, [&] { return mdb_txn_begin(env_, nullptr, 0, &txn); });
  if (code != 0) return lmdb_failed("cannot begin writing", code);
  return WriteTxn(txn);
}

Result<void> Env::sync() {
  if (!env_) return closed();
  int code = ask(env_, [&] { return mdb_env_sync(env_, 1); });
  if (code != 0) return lmdb_failed("cannot sync", code);
  return {};
}

}  // namespace relay::store
