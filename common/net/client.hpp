// A pooled HTTP/1.1 client, one a worker thread. Answers pass the same framing gate as requests;
// a connection with anything odd on it is closed, never pooled again.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <compare>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "common/base/error.hpp"
#include "common/http/message.hpp"
#include "common/net/task.hpp"

namespace relay::net {

/// Where to connect: host is a name or an address, without brackets.
struct Endpoint {
  std::string host;
  unsigned short port = 80;
  auto operator<=>(const Endpoint&) const = default;
};

/// From "http://host:port" (nothing may follow but "/"); an error says what is allowed.
Result<Endpoint> endpoint_of(std::string_view url);

/// Told of an interim answer (1xx, but neither 100 nor 101) as it comes; must not wait.
using OnInterim = std::function<void(const http::ResponseHead&)>;

struct ClientRequest {
  std::string method = "GET";
  std::string target;
  // Host is added when absent; framing fields and Expect are left out: what is sent follows from
  // the body. Other hop-by-hop fields are the caller's duty.
  http::Headers headers;
  std::string body;  // sent with Content-Length when not empty or when method wants one
  std::weak_ptr<const OnInterim> on_interim = {};  // gone: interim answers are dropped
};

/// Flags of which any that is set ends what is under way, soon, as if it had timed out; null ones
/// never do.
using GivenUpFlags = std::array<std::shared_ptr<const std::atomic<bool>>, 2>;

struct ClientDeadlines {
  std::chrono::milliseconds connect;     // limits::connect_wait
  std::chrono::milliseconds first_byte;  // request sent to head complete
  std::chrono::milliseconds stall;       // between body bytes
  GivenUpFlags given_up = {};
};

/// An answer whose head has arrived. Destroyed before complete(): the connection is closed.
class ClientResponse {
 public:
  ~ClientResponse();
  ClientResponse(ClientResponse&&) noexcept;
  ClientResponse& operator=(ClientResponse&&) noexcept;
  const http::ResponseHead& head() const;
  http::BodyFraming framing() const;
  /// Up to into.size() bytes; 0 once the body is complete as promised. Errors: aborted (short
  /// body, reset), invalid (broken chunk), timeout; source upstream, retry true where a repeat
  /// may help. An until_close body ends at a clean close only.
  Task<Result<std::size_t>> read(std::span<char> into);
  bool complete() const;

  struct State;
  explicit ClientResponse(std::unique_ptr<State> state);

 private:
  std::unique_ptr<State> state_;
};

class Client {
 public:
  explicit Client(asio::io_context& io);
  ~Client();
  /// A request on a pooled connection that turns out dead before any byte of the answer is
  /// repeated once on a new one (idempotent methods only). Errors: unavailable (refused,
  /// unresolvable: retry elsewhere at once), timeout, aborted, invalid.
  Task<Result<ClientResponse>> send(Endpoint endpoint, ClientRequest request,
                                    ClientDeadlines deadlines);
  asio::io_context& io() const;
  /// Closes idle connections; those in use close when their response is dropped.
  void close_idle();

  struct Impl;  // shared with responses under way, which give their connections back to it

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace relay::net
