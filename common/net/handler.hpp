// What a program does with a request, apart from how it came in. The session reads and judges the
// head, calls the handler, and ends the exchange: a handler that returns without having finished
// its answer makes the connection reset, so a short body can never look like a whole one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/base/error.hpp"
#include "common/http/head.hpp"
#include "common/http/message.hpp"
#include "common/net/task.hpp"

namespace relay::net {

class Session;

/// A run of bytes in a file.
struct FilePiece {
  int fd = -1;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

/// One request and its answer. Lives on its connection's thread; views from request() are valid
/// until the handler returns. All writes wait for the socket (back-pressure) and fail with kind
/// timeout (no progress for limits::body_stall) or aborted (peer gone); after a failed write the
/// handler just returns.
class Exchange {
 public:
  explicit Exchange(Session& session) : session_(session) {}
  Exchange(const Exchange&) = delete;

  const http::RequestHead& request() const;
  asio::io_context& io() const;
  /// "192.0.2.7", or "unix".
  const std::string& peer() const;

  /// Up to into.size() bytes of the request body; 0 at its end. Sends "100 Continue" when the
  /// client waits for it. Errors: aborted (short body), invalid (broken chunk), timeout.
  Task<Result<std::size_t>> read_body(std::span<char> into);

  /// An interim answer (1xx, but neither 100 nor 101), with the fields that go on. Sent without
  /// waiting: what the socket has no room for goes before the answer. Dropped once that has begun,
  /// and for clients of HTTP/1.0 (RFC 9110 15.2).
  void inform(const http::ResponseHead& interim);

  /// The whole answer at once. Adds Date, Content-Length and Connection; leaves the body out for
  /// HEAD, 204 and 304.
  Task<Result<void>> respond(http::Response response);

  /// Starts a longer answer. With a length, exactly that many bytes must follow; without, it is
  /// chunked (to an HTTP/1.0 client: ended by closing). For HEAD nothing may follow.
  Task<Result<void>> begin(http::ResponseHead head, std::optional<std::uint64_t> length);

  /// The connection's own buffer, for a head that goes to begin_raw() behind what it holds
  /// already: interim answers that are still to be sent. Nothing else may be answered between.
  std::string head_buffer();
  /// The hot form of begin(): `head_text` is "HTTP/1.1 200 OK\r\n" and field lines, each ended by
  /// CRLF, with Date and Content-Length in it and without the empty line; the session adds
  /// Connection when needed. `first_body` is sent in the same write, if not empty.
  Task<Result<void>> begin_raw(std::string head_text, int status, std::uint64_t length,
                               std::string_view first_body);

  Task<Result<void>> write(std::string_view bytes);
  /// sendfile from descriptors that stay open and whose bytes stay put until the peer has
  /// acknowledged them. The pieces follow one another in the body.
  Task<Result<void>> write_files(std::span<const FilePiece> pieces);
  /// Ends a chunked answer; checks the length of any other. Not needed after respond().
  Task<Result<void>> finish();

  /// The answer cannot be completed: the connection is reset, never ended cleanly.
  void abort();

  /// For logs: 0 while nothing was answered.
  int status() const;
  std::uint64_t body_bytes_sent() const;
  bool complete() const;

 private:
  Session& session_;
};

/// Implementations are shared by all worker threads and outlive the server.
class Handler {
 public:
  virtual ~Handler() = default;
  /// A coroutine: `exchange` outlives it.
  virtual Task<void> handle(Exchange& exchange) = 0;
  /// A request that the gate refused and the session answered; for the access log.
  virtual void refused(const http::Refusal& refusal, const std::string& peer) {
    (void)refusal, (void)peer;
  }
  /// Adds to the session's own answer to such a request what every answer carries here.
  virtual void sign_refusal(http::Headers& response) const { (void)response; }
};

}  // namespace relay::net
