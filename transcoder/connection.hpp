// The inherited connection to the origin as a blocking HTTP/1.1 client: requests may be written
// ahead of their answers, which come in the same order. The only place here that sees the socket.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "common/base/error.hpp"
#include "common/base/hash.hpp"

namespace relay::transcoder {

struct Answer {
  int status = 0;
  std::string body;  // its beginning, at most 4 KiB
};

/// Not thread-safe. After an error the connection is of no more use.
class Connection {
 public:
  /// Borrows `fd`; waits at most `stall` for the peer to read or to write.
  Connection(int fd, std::chrono::milliseconds stall);
  /// `fields`: further header lines, each with its CRLF. Errors: timeout, aborted (the origin is
  /// gone); retry is true.
  Result<void> send_put(std::string_view target, std::string_view content_type,
                        std::string_view fields, std::string_view body, const Digest128& digest);
  /// The answer to the oldest request without one; interim answers (1xx) are skipped.
  Result<Answer> read_answer();

 private:
  Result<void> send(std::string_view head, std::string_view body);
  Result<void> receive();  // more bytes behind buffer_
  Result<void> read_body(std::uint64_t length, std::string& into);

  int fd_;
  std::string buffer_;  // received, not yet taken
};

}  // namespace relay::transcoder
