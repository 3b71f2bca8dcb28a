// Socket types and options. Generic stream sockets, so that TCP clients and the end of a
// socketpair are served by the same session.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "common/net/task.hpp"

namespace relay::net {

using Socket = asio::basic_stream_socket<asio::generic::stream_protocol, Executor>;
using TcpSocket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;

/// Nagle off, and limits::tcp_user_timeout for data that nobody acknowledges. Of a listening
/// socket: for all that it accepts, which saves two calls a connection.
void tune(TcpSocket& socket);
void tune(Acceptor& listening);

/// Closes with a reset, so that the peer can't take what it got for the whole.
void reset_connection(Socket& socket);

}  // namespace relay::net
