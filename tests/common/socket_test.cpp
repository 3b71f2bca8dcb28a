#include "common/net/socket.hpp"

#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "common/base/limits.hpp"

namespace relay::net {
namespace {

unsigned option_of(int fd, int name) {
  unsigned value = 0;
  socklen_t size = sizeof value;
  EXPECT_EQ(::getsockopt(fd, IPPROTO_TCP, name, &value, &size), 0);
  return value;
}

TEST(Socket, WhatIsAcceptedIsTunedAsItsDoor) {
  asio::io_context io;
  for (const char* address : {"127.0.0.1", "::1"}) {
    asio::ip::tcp::endpoint at(asio::ip::make_address(address), 0);
    Acceptor door(io);
    boost::system::error_code error;
    door.open(at.protocol());
    tune(door);
    door.bind(at, error);
    if (error) continue;  // a machine without IPv6
    door.listen();
    TcpSocket client(io);
    client.connect(door.local_endpoint());
    TcpSocket taken(io);
    door.accept(taken);
    EXPECT_NE(option_of(taken.native_handle(), TCP_NODELAY), 0U);
    EXPECT_EQ(option_of(taken.native_handle(), TCP_USER_TIMEOUT),
              static_cast<unsigned>(limits::tcp_user_timeout.count()));
    tune(client);
    EXPECT_NE(option_of(client.native_handle(), TCP_NODELAY), 0U);
  }
}

}  // namespace
}  // namespace relay::net
