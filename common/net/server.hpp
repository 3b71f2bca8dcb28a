// Worker threads, one io_context each, each with its own SO_REUSEPORT acceptors; a connection
// never leaves its thread (DESIGN 4.2). Draining is a join by emptiness: run() returns when no
// connection and no task is left.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/error.hpp"
#include "common/net/handler.hpp"
#include "common/net/quiet_waits.hpp"

namespace relay::net {

struct Listen {
  std::string address;  // "127.0.0.1:7101", "[::1]:7101"; port 0 picks one
  Handler* handler = nullptr;
  bool every_worker = true;  // false: the first worker only (admin ports)
};

struct ServerOptions {
  std::vector<Listen> listens;
  unsigned threads = 1;
  std::chrono::milliseconds drain_grace{10000};
  QuietWaits quiet;
};

class Server {
 public:
  /// Binds at once; throws std::runtime_error "cannot listen on ADDRESS: why" (start-up only).
  explicit Server(ServerOptions options);
  ~Server();

  /// For what runs beside the connections: timers, upstream clients.
  std::vector<asio::io_context*> workers();
  /// Ports as bound, in the order of `listens`.
  std::vector<unsigned short> ports() const;

  /// Runs until SIGTERM or SIGINT (or stop()) and the drain after it; SIGHUP calls on_reload on
  /// the first worker. Work spawned on the workers must end by itself once stopping() is true.
  void run(std::function<void()> on_reload);
  /// Thread-safe: begin to drain.
  void stop();
  /// Awaited on the first worker once a stop was asked for; the drain begins when it has ended.
  void before_stop(std::function<Task<void>()> farewell);
  /// Called on the first worker when the drain begins; to cancel timers and clients.
  void on_stop(std::function<void()> callback);

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

/// Serves one already connected stream socket (a socketpair end, say) on `io`, with the same
/// session as TCP clients get. Closes it at the end, then calls `closed` there.
void serve_connected(asio::io_context& io, int fd, Handler& handler, std::function<void()> closed);

}  // namespace relay::net
