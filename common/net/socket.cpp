#include "common/net/socket.hpp"

#include <netinet/tcp.h>

#include "common/base/limits.hpp"

namespace relay::net {

void tune(TcpSocket& socket) {
  boost::system::error_code ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  auto timeout_ms = static_cast<unsigned>(limits::tcp_user_timeout.count());
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms,
               sizeof timeout_ms);
}

void reset_connection(Socket& socket) {
  if (!socket.is_open()) return;
  linger now{1, 0};
  ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  boost::system::error_code ignored;
  socket.close(ignored);
}

}  // namespace relay::net
