#include "common/net/socket.hpp"

#include <netinet/tcp.h>

#include "common/base/limits.hpp"

namespace relay::net {

namespace {

void tune_fd(int fd) {
  int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  auto timeout_ms = static_cast<unsigned>(limits::tcp_user_timeout.count());
  ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
}

}  // namespace

void tune(TcpSocket& socket) {
  tune_fd(socket.native_handle());
}

void tune(Acceptor& listening) {
  tune_fd(listening.native_handle());
}

void reset_connection(Socket& socket) {
  if (!socket.is_open()) return;
  linger now{1, 0};
  ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  boost::system::error_code ignored;
  socket.close(ignored);
}

}  // namespace relay::net
