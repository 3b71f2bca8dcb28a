#include "common/net/output.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "common/base/limits.hpp"

namespace relay::net {
namespace {

// A single call stays below this, so that one fast reader can't hold the thread for long.
constexpr std::size_t sendfile_bytes_max = 1 << 20;
constexpr std::size_t pieces_a_call_max = 64;

std::size_t bytes_in(std::span<const iovec> pieces) {
  std::size_t bytes = 0;
  for (const iovec& piece : pieces) bytes += piece.iov_len;
  return bytes;
}

void advance(std::span<iovec>& pieces, std::size_t sent) {
  while (!pieces.empty() && sent >= pieces.front().iov_len) {
    sent -= pieces.front().iov_len;
    pieces = pieces.subspan(1);
  }
  if (pieces.empty()) return;
  pieces.front().iov_base = static_cast<char*>(pieces.front().iov_base) + sent;
  pieces.front().iov_len -= sent;
}

}  // namespace

/// EIO of sendfile, or EFAULT of bytes in a mapped file, is the disk's fault and not the peer's.
std::unexpected<Error> Output::failure(int errno_value) const {
  if (errno_value == EIO || errno_value == EFAULT) {
    return fail(ErrorKind::corrupt, ErrorSource::disk, "the disk does not give what is to be sent");
  }
  if (timed_out) {
    return fail(ErrorKind::timeout, source_, "the peer took no byte within the deadline");
  }
  return fail(ErrorKind::aborted, source_,
              "the peer is gone: " + std::generic_category().message(errno_value));
}

/// A full socket has room again only when a third of it is free: what the peer took meanwhile is
/// known from what it has not acknowledged.
bool Output::keeps_pace() {
  if (judged_ == SteadyTime{}) return false;
  int unacknowledged = 0;
  if (::ioctl(socket_.native_handle(), SIOCOUTQ, &unacknowledged) != 0) return false;
  std::uint64_t taken = written_ - std::min(written_, static_cast<std::uint64_t>(unacknowledged));
  std::uint64_t before = std::exchange(taken_, std::max(taken_, taken));
  SteadyTime since = std::exchange(judged_, steady_now());
  watched_.arm_until(judged_ + limits::body_stall);
  return pace_.keeps(judged_ - since, taken_ - before);
}

Task<Result<void>> Output::wait() {
  judged_ = steady_now();
  watched_.arm_until(judged_ + limits::body_stall);
  auto [error] = co_await socket_.async_wait(Socket::wait_write, use_result);
  bool kept = error || source_ != ErrorSource::client || keeps_pace();
  watched_.disarm();
  judged_ = {};
  if (error) co_return failure(error.value());
  if (!kept) co_return fail(ErrorKind::timeout, source_, "the peer takes its answer too slowly");
  co_return Result<void>{};
}

// A call that took less than it was given found the socket full, and to call once more only to be
// told so is dear (sendfile looks the pages up first). Nothing is missed: a wait that begins when
// there is room already ends at once.

Task<Result<void>> Output::send(std::span<iovec> pieces, bool more) {
  int flags = MSG_NOSIGNAL | (more ? MSG_MORE : 0);
  while (!pieces.empty()) {
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = std::min<std::size_t>(pieces.size(), pieces_a_call_max);
    std::size_t given = bytes_in(pieces.first(message.msg_iovlen));
    ssize_t sent = ::sendmsg(socket_.native_handle(), &message, flags);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) co_return failure(errno);
    auto taken = static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
    written_ += taken;
    advance(pieces, taken);
    if (taken == given) continue;
    if (auto ready = co_await wait(); !ready) co_return std::unexpected(ready.error());
  }
  co_return Result<void>{};
}

Task<Result<void>> Output::send(std::string_view bytes) {
  iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
  co_return co_await send(std::span(&piece, 1), false);
}

std::size_t Output::send_now(std::string_view bytes) {
  ssize_t sent = ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  auto taken = static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
  written_ += taken;
  return taken;
}

Task<Result<void>> Output::send_files(std::span<const FilePiece> pieces) {
  for (FilePiece left : pieces) {
    auto at = static_cast<off_t>(left.offset);
    while (left.length > 0) {
      std::size_t n = std::min<std::uint64_t>(left.length, sendfile_bytes_max);
      ssize_t sent = ::sendfile(socket_.native_handle(), left.fd, &at, n);
      if (sent == 0) {
        co_return fail(ErrorKind::corrupt, ErrorSource::disk, "a file is shorter than its record");
      }
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0 && errno != EAGAIN) co_return failure(errno);
      auto taken = static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
      written_ += taken;
      left.length -= taken;
      if (taken == n) continue;
      if (auto ready = co_await wait(); !ready) co_return std::unexpected(ready.error());
    }
  }
  co_return Result<void>{};
}

}  // namespace relay::net
