// A client's connection from accept to close. While it says nothing this object, and the system's
// wait for its first byte, are all there is of it: no coroutine and no buffer. With the first byte
// of a request it gets a session, which goes away again when the connection has become quiet.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/net/handler.hpp"
#include "common/net/quiet_waits.hpp"
#include "common/net/session.hpp"
#include "common/net/socket.hpp"
#include "common/net/watchdog.hpp"

namespace relay::net {

class ClientConnection final : public Watched {
 public:
  /// Serves it until it ends, or says nothing for `waits.connection`; then calls `closed`,
  /// unless the io_context went first. On the io_context's thread.
  static void start(asio::io_context& io, Socket socket, Handler& handler, std::string peer,
                    QuietWaits waits, std::function<void()> closed);

  void expire() override;
  void drain() override;

 private:
  // Whoever waits for it owns it: the system's wait, or the coroutine.
  using Self = std::unique_ptr<ClientConnection>;

  ClientConnection(asio::io_context& io, Socket socket, Handler& handler, std::string peer,
                   QuietWaits waits, std::function<void()> closed);
  static void rest(Self self, std::chrono::milliseconds wait);
  static Task<void> serve(Self self);
  static void end(Self self);

  asio::io_context& io_;
  Socket socket_;
  Handler& handler_;
  std::string peer_;
  const QuietWaits waits_;
  std::function<void()> closed_;
  std::unique_ptr<Session> session_;  // null while it rests
};

}  // namespace relay::net
