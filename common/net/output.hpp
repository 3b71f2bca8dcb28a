// Sending on a non-blocking socket: try first, wait only when the socket is full.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <span>
#include <string_view>

#include "common/base/error.hpp"
#include "common/net/handler.hpp"
#include "common/net/socket.hpp"
#include "common/net/watchdog.hpp"

namespace relay::net {

/// The writing side of a connection. Fails with timeout (no byte for limits::body_stall) or
/// aborted (peer gone). `source` names whose fault a failure is.
class Output {
 public:
  Output(Socket& socket, Watched& watched, ErrorSource source)
      : socket_(socket), watched_(watched), source_(source) {}

  /// All of the pieces, in order. With `more`, the kernel may hold the last packet back because a
  /// body follows at once.
  Task<Result<void>> send(std::span<iovec> pieces, bool more);
  Task<Result<void>> send(std::string_view bytes);
  Task<Result<void>> send_files(std::span<const FilePiece> pieces);
  /// Set by the owner's expire().
  bool timed_out = false;

 private:
  Task<Result<void>> wait();
  std::unexpected<Error> failure(int errno_value) const;
  Socket& socket_;
  Watched& watched_;
  ErrorSource source_;
};

}  // namespace relay::net
