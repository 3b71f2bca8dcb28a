#include "common/net/client_connection.hpp"

#include <algorithm>
#include <utility>

namespace relay::net {

using namespace std::chrono_literals;

ClientConnection::ClientConnection(asio::io_context& io, Socket socket, Handler& handler,
                                   std::string peer, QuietWaits waits, std::function<void()> closed)
    : io_(io),
      socket_(std::move(socket)),
      handler_(handler),
      peer_(std::move(peer)),
      waits_(waits),
      closed_(std::move(closed)) {
}

void ClientConnection::start(asio::io_context& io, Socket socket, Handler& handler,
                             std::string peer, QuietWaits waits, std::function<void()> closed) {
  Self self(new ClientConnection(io, std::move(socket), handler, std::move(peer), waits,
                                 std::move(closed)));
  asio::use_service<Watchdog>(io).watch(*self);
  rest(std::move(self), waits.connection);
}

void ClientConnection::rest(Self self, std::chrono::milliseconds wait) {
  ClientConnection& me = *self;
  me.session_.reset();
  me.arm(wait);
  auto on_bytes = [self = std::move(self)](boost::system::error_code error) mutable {
    if (error) return end(std::move(self));
    ClientConnection& me = *self;
    me.disarm();
    me.session_ =
        std::make_unique<Session>(me.io_, me.socket_, me, me.handler_, me.peer_, me.waits_.buffers);
    spawn(me.io_, serve(std::move(self)));
  };
  me.socket_.async_wait(Socket::wait_read, std::move(on_bytes));
}

Task<void> ClientConnection::serve(Self self) {
  SessionEnd how = co_await self->session_->run();
  if (how == SessionEnd::quiet) {
    auto left = self->waits_.connection - self->waits_.buffers;
    rest(std::move(self), std::max(left, 0ms));
  } else {
    end(std::move(self));
  }
}

void ClientConnection::end(Self self) {
  std::function<void()> closed = std::move(self->closed_);
  self.reset();
  if (closed) closed();
}

void ClientConnection::expire() {
  if (session_) return session_->expire();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void ClientConnection::drain() {
  if (session_) return session_->drain();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace relay::net
