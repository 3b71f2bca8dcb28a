// A library that a test puts before the C library and LMDB (LD_PRELOAD) to make calls of a program
// fail: writes, writes that make a file grow, syncs, pread, renaming and sendfile of what lies
// below a folder named cache; opening files, taking and making sockets; and LMDB's own calls, which
// fail without having done anything.
//
// FAULTS_FILE names a file of 32-bit numbers, four for each call in the order of `Call`: the errno
// to fail with (0: works), how many calls still work before, how many fail then (-1: all), and how
// many have failed so far, which is written here. Mapped, so that a test changes them at any time.
#include <dlfcn.h>
#include <fcntl.h>
#include <lmdb.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

enum Call {
  write_data,
  sync_data,
  open_file,
  accept_socket,
  make_socket,
  grow_file,
  send_file,
  begin_write,
  begin_read,
  put_value,
  get_value,
  erase_value,
  commit_txn,
  rename_file,
  read_data,
  walk_table,
  call_count
};

struct Fault {
  std::atomic<std::int32_t> error, works_before, times, failed;
};

Fault* map_faults() {
  const char* path = std::getenv("FAULTS_FILE");
  int fd = path ? ::open64(path, O_RDWR | O_CLOEXEC) : -1;
  if (fd < 0) return nullptr;
  void* at = ::mmap(nullptr, sizeof(Fault) * call_count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  return at == MAP_FAILED ? nullptr : static_cast<Fault*>(at);
}

Fault* faults = nullptr;
__attribute__((constructor)) void begin() {
  faults = map_faults();
}

/// True, with errno set, when this call has to fail.
bool fails(Call call) {
  if (!faults) return false;
  Fault& fault = faults[call];
  int error = fault.error.load();
  if (error == 0) return false;
  if (fault.works_before.load() > 0 && fault.works_before.fetch_sub(1) > 0) return false;
  if (fault.times.load() == 0) return false;
  if (fault.times.load() > 0) fault.times.fetch_sub(1);
  fault.failed.fetch_add(1);
  errno = error;
  return true;
}

bool is_store(const char* path) {
  return std::strstr(path, "/cache/") != nullptr;
}

bool is_store(int fd) {
  char link[64], path[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = ::readlink(link, path, sizeof path - 1);
  if (n <= 0) return false;
  path[n] = 0;
  return is_store(path);
}

bool store_fails(Call call, int fd) {
  return faults && faults[call].error.load() != 0 && is_store(fd) && fails(call);
}

bool is_armed(Call call) {
  return faults && faults[call].error.load() != 0;
}

bool write_fails(int fd, off64_t end) {
  if (store_fails(write_data, fd)) return true;
  struct stat64 status{};
  bool grows = is_armed(grow_file) && ::fstat64(fd, &status) == 0 && end > status.st_size;
  return grows && store_fails(grow_file, fd);
}

off64_t bytes_of(const iovec* pieces, int count) {
  off64_t bytes = 0;
  for (int i = 0; i < count; ++i) bytes += static_cast<off64_t>(pieces[i].iov_len);
  return bytes;
}

off64_t end_of(int fd, off64_t bytes) {
  return ::lseek64(fd, 0, SEEK_CUR) + bytes;
}

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

ssize_t pwrite(int fd, const void* bytes, size_t count, off_t at) {
  static auto real = next<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
  return write_fails(fd, at + static_cast<off64_t>(count)) ? -1 : real(fd, bytes, count, at);
}
ssize_t pwrite64(int fd, const void* bytes, size_t count, off64_t at) {
  static auto real = next<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64");
  return write_fails(fd, at + static_cast<off64_t>(count)) ? -1 : real(fd, bytes, count, at);
}
ssize_t writev(int fd, const iovec* pieces, int count) {
  static auto real = next<ssize_t (*)(int, const iovec*, int)>("writev");
  return write_fails(fd, end_of(fd, bytes_of(pieces, count))) ? -1 : real(fd, pieces, count);
}
ssize_t pwritev(int fd, const iovec* pieces, int count, off_t at) {
  static auto real = next<ssize_t (*)(int, const iovec*, int, off_t)>("pwritev");
  return write_fails(fd, at + bytes_of(pieces, count)) ? -1 : real(fd, pieces, count, at);
}
int fdatasync(int fd) {
  static auto real = next<int (*)(int)>("fdatasync");
  return store_fails(sync_data, fd) ? -1 : real(fd);
}
int fsync(int fd) {
  static auto real = next<int (*)(int)>("fsync");
  return store_fails(sync_data, fd) ? -1 : real(fd);
}
int msync(void* at, size_t length, int flags) {
  static auto real = next<int (*)(void*, size_t, int)>("msync");
  return fails(sync_data) ? -1 : real(at, length, flags);
}
ssize_t pread(int fd, void* bytes, size_t count, off_t at) {
  static auto real = next<ssize_t (*)(int, void*, size_t, off_t)>("pread");
  return store_fails(read_data, fd) ? -1 : real(fd, bytes, count, at);
}
ssize_t pread64(int fd, void* bytes, size_t count, off64_t at) {
  static auto real = next<ssize_t (*)(int, void*, size_t, off64_t)>("pread64");
  return store_fails(read_data, fd) ? -1 : real(fd, bytes, count, at);
}
int rename(const char* from, const char* to) {
  static auto real = next<int (*)(const char*, const char*)>("rename");
  return is_store(to) && fails(rename_file) ? -1 : real(from, to);
}
int open(const char* path, int flags, ...) {
  static auto real = next<int (*)(const char*, int, ...)>("open");
  va_list rest;
  va_start(rest, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return fails(open_file) ? -1 : real(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  static auto real = next<int (*)(const char*, int, ...)>("open64");
  va_list rest;
  va_start(rest, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return fails(open_file) ? -1 : real(path, flags, mode);
}
int accept(int fd, sockaddr* from, socklen_t* length) {
  static auto real = next<int (*)(int, sockaddr*, socklen_t*)>("accept");
  return fails(accept_socket) ? -1 : real(fd, from, length);
}
int accept4(int fd, sockaddr* from, socklen_t* length, int flags) {
  static auto real = next<int (*)(int, sockaddr*, socklen_t*, int)>("accept4");
  return fails(accept_socket) ? -1 : real(fd, from, length, flags);
}
int socket(int domain, int type, int protocol) {
  static auto real = next<int (*)(int, int, int)>("socket");
  return fails(make_socket) ? -1 : real(domain, type, protocol);
}

ssize_t sendfile(int to, int from, off_t* at, size_t count) {
  static auto real = next<ssize_t (*)(int, int, off_t*, size_t)>("sendfile");
  return store_fails(send_file, from) ? -1 : real(to, from, at, count);
}
ssize_t sendfile64(int to, int from, off64_t* at, size_t count) {
  static auto real = next<ssize_t (*)(int, int, off64_t*, size_t)>("sendfile64");
  return store_fails(send_file, from) ? -1 : real(to, from, at, count);
}

int mdb_txn_begin(MDB_env* env, MDB_txn* parent, unsigned flags, MDB_txn** txn) {
  static auto real = next<decltype(&mdb_txn_begin)>("mdb_txn_begin");
  Call call = flags & MDB_RDONLY ? begin_read : begin_write;
  return fails(call) ? errno : real(env, parent, flags, txn);
}
int mdb_put(MDB_txn* txn, MDB_dbi table, MDB_val* key, MDB_val* value, unsigned flags) {
  static auto real = next<decltype(&mdb_put)>("mdb_put");
  return fails(put_value) ? errno : real(txn, table, key, value, flags);
}
int mdb_get(MDB_txn* txn, MDB_dbi table, MDB_val* key, MDB_val* value) {
  static auto real = next<decltype(&mdb_get)>("mdb_get");
  return fails(get_value) ? errno : real(txn, table, key, value);
}
int mdb_del(MDB_txn* txn, MDB_dbi table, MDB_val* key, MDB_val* value) {
  static auto real = next<decltype(&mdb_del)>("mdb_del");
  return fails(erase_value) ? errno : real(txn, table, key, value);
}
int mdb_cursor_get(MDB_cursor* cursor, MDB_val* key, MDB_val* value, MDB_cursor_op op) {
  static auto real = next<decltype(&mdb_cursor_get)>("mdb_cursor_get");
  return fails(walk_table) ? errno : real(cursor, key, value, op);
}
int mdb_txn_commit(MDB_txn* txn) {
  static auto real = next<decltype(&mdb_txn_commit)>("mdb_txn_commit");
  if (!fails(commit_txn)) return real(txn);
  int error = errno;
  mdb_txn_abort(txn);
  return error;
}

}  // extern "C"
