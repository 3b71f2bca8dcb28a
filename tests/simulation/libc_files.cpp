// Stands before libc's writes to files: a machine's disk may be full, and a program may be killed
// between any two of its writes.
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "tests/simulation/descriptors.hpp"
#include "tests/simulation/raw_call.hpp"

namespace relay::simulation {
namespace {

/// True, with errno set: this write must fail.
bool is_full(int file) {
  if (!Schedule::self() || file <= STDERR_FILENO) return false;
  Schedule::present->maybe_yield();
  if (!Schedule::present->process().disk_full) return false;
  errno = ENOSPC;
  return true;
}

}  // namespace
}  // namespace relay::simulation

using namespace relay::simulation;

extern "C" {

ssize_t write(int number, const void* bytes, size_t size) {
  if (number >= first_descriptor && Schedule::self()) {
    Descriptor* descriptor = Descriptors::present->find(number);
    if (!descriptor) {
      errno = EBADF;
      return -1;
    }
    if (descriptor->socket) return ::send(number, bytes, size, 0);
    std::uint64_t count = 0;
    std::memcpy(&count, bytes, sizeof count);
    descriptor->event_count += count;
    Descriptors::present->tell(number);
    return sizeof count;
  }
  if (is_full(number)) return -1;
  return libc_result(raw_call(SYS_write, number, word(bytes), static_cast<long>(size)));
}

ssize_t writev(int number, const iovec* pieces, int count) {
  if (is_full(number)) return -1;
  return libc_result(raw_call(SYS_writev, number, word(pieces), count));
}

ssize_t pwrite(int file, const void* bytes, size_t size, off_t at) {
  if (is_full(file)) return -1;
  return libc_result(raw_call(SYS_pwrite64, file, word(bytes), static_cast<long>(size), at));
}

ssize_t pwrite64(int file, const void* bytes, size_t size, off64_t at) {
  return ::pwrite(file, bytes, size, at);
}

// Nothing here survives the machine, and nothing has to.
int fsync(int file) {
  if (Schedule::self()) return 0;
  return static_cast<int>(libc_result(raw_call(SYS_fsync, file)));
}

int fdatasync(int file) {
  if (Schedule::self()) return 0;
  return static_cast<int>(libc_result(raw_call(SYS_fdatasync, file)));
}

}  // extern "C"
