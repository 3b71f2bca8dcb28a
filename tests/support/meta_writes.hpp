// Makes LMDB's writes of its meta pages fail: this test program's own pwrite stands before libc's.
// Include in one file of a program.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace relay::tests {

/// LMDB tries to write the old page back after a failure; `fails_once`: that works.
/// `fails_but_is_done`: what it tried first is in the file, and that is not taken back.
enum class MetaWrite { works, fails_once, fails, fails_but_is_done };
inline std::atomic<MetaWrite> meta_write = MetaWrite::works;
inline constexpr MetaWrite failing_meta_writes[] = {MetaWrite::fails_once, MetaWrite::fails,
                                                    MetaWrite::fails_but_is_done};

}  // namespace relay::tests

extern "C" __attribute__((used)) ssize_t pwrite(int fd, const void* bytes, size_t count, off_t at) {
  using relay::tests::MetaWrite;
  auto way = at < 2 * 4096 ? relay::tests::meta_write.load() : MetaWrite::works;
  if (way == MetaWrite::works || way == MetaWrite::fails_but_is_done) {
    long done = ::syscall(SYS_pwrite64, fd, bytes, count, at);
    if (way == MetaWrite::works) return done;
  }
  if (way == MetaWrite::fails_once) relay::tests::meta_write = MetaWrite::works;
  if (way == MetaWrite::fails_but_is_done) relay::tests::meta_write = MetaWrite::fails;
  errno = EIO;
  return -1;
}
