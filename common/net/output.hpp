// Sending on a non-blocking socket: try first, wait only when the socket is full.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <span>
#include <string_view>

#include "common/base/error.hpp"
#include "common/net/handler.hpp"
#include "common/net/pace.hpp"
#include "common/net/socket.hpp"
#include "common/net/watchdog.hpp"

namespace relay::net {

/// The writing side of a connection. Fails with timeout (no byte for limits::body_stall, or fewer
/// than limits::rate_min_bytes_per_s) or aborted (peer gone). `source` names whose fault a failure
/// is.
class Output {
 public:
  Output(Socket& socket, Watched& watched, ErrorSource source)
      : socket_(socket), watched_(watched), source_(source) {}

  /// All of the pieces, in order. With `more`, the kernel may hold the last packet back because a
  /// body follows at once.
  Task<Result<void>> send(std::span<iovec> pieces, bool more);
  Task<Result<void>> send(std::string_view bytes);
  /// What the socket takes at once; how many bytes that was. A failure shows at the next send().
  std::size_t send_now(std::string_view bytes);
  Task<Result<void>> send_files(std::span<const FilePiece> pieces);
  /// For the owner's expire(): whether the peer took enough while we waited for it, although the
  /// socket had no room for more yet; the wait goes on then.
  bool keeps_pace();
  /// Set by the owner's expire().
  bool timed_out = false;

 private:
  Task<Result<void>> wait();
  std::unexpected<Error> failure(int errno_value) const;
  Socket& socket_;
  Watched& watched_;
  ErrorSource source_;
  std::uint64_t written_ = 0;  // into the socket, since it was opened
  std::uint64_t taken_ = 0;    // of these, by the peer, when the pace was judged last
  SteadyTime judged_{};        // since then we have been waiting; 0: not waiting
  Pace pace_;
};

}  // namespace relay::net
