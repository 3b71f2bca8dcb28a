// Reads the body of one message from a connection, as its framing says. The same for requests and
// for upstream answers.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"
#include "common/http/chunked.hpp"
#include "common/http/message.hpp"
#include "common/net/pace.hpp"
#include "common/net/socket.hpp"
#include "common/net/watchdog.hpp"

namespace relay::net {

class BodyReader {
 public:
  BodyReader(Socket& socket, Watched& watched, ErrorSource source)
      : socket_(socket), watched_(watched), source_(source) {}

  /// `ready` was read behind the head. Returns how many of these bytes it took (copied); the
  /// others belong to the next message.
  std::size_t start(http::BodyFraming framing, std::string_view ready);

  /// Up to into.size() bytes; 0 once the body is complete as promised. Errors: aborted (short
  /// body or reset), invalid (broken chunk), timeout (no byte for `stall`, or from a client fewer
  /// than limits::rate_min_bytes_per_s).
  Task<Result<std::size_t>> read(std::span<char> into, std::chrono::milliseconds stall);
  bool done() const { return done_; }
  /// Whether a read is under way that waits for the peer.
  bool waits() const { return waits_; }
  /// Bytes of the next message that came with a chunked body; valid when done.
  std::string_view rest() const;
  /// Set by the owner's expire().
  bool timed_out = false;

 private:
  Task<Result<std::size_t>> read_counted(std::span<char> into, std::chrono::milliseconds stall);
  Task<Result<std::size_t>> read_chunked(std::span<char> into, std::chrono::milliseconds stall);
  Task<Result<std::size_t>> receive(std::span<char> into, std::chrono::milliseconds stall);
  std::size_t from_input(std::span<char> into);

  Socket& socket_;
  Watched& watched_;
  ErrorSource source_;
  http::BodyKind kind_ = http::BodyKind::none;
  std::uint64_t left_ = 0;
  std::optional<http::ChunkedReader> chunks_;
  std::vector<char> input_;  // read but not yet given out
  std::size_t input_from_ = 0;
  bool done_ = true;
  bool waits_ = false;
  Pace pace_;
};

}  // namespace relay::net
