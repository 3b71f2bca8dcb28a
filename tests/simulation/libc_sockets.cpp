// Stands before libc's sockets, epoll and eventfd: for code of a simulated program they belong to
// Descriptors and the Network, for everybody else they are libc's own.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <memory>
#include <utility>

#include "tests/simulation/descriptors.hpp"
#include "tests/simulation/raw_call.hpp"

namespace relay::simulation {
namespace {

bool simulated() {
  return Schedule::self() != nullptr;
}

/// Null: the number is not one of ours.
Descriptor* ours(int number) {
  if (number < first_descriptor || !simulated()) return nullptr;
  return Descriptors::present->find(number);
}

Socket* socket_of(int number) {
  Descriptor* descriptor = ours(number);
  return descriptor ? descriptor->socket.get() : nullptr;
}

Network& network() {
  return Descriptors::present->network();
}

int failed(int error) {
  errno = error;
  return -1;
}

constexpr in_addr_t net_of_hosts = 0x7f000100;  // 127.0.1.0

Address address_of(const sockaddr* from) {
  sockaddr_in ip{};
  std::memcpy(&ip, from, sizeof ip);
  return {static_cast<int>(ntohl(ip.sin_addr.s_addr) & 0xff), ntohs(ip.sin_port)};
}

void write_address(Address from, sockaddr* into, socklen_t* size) {
  if (!into) return;
  sockaddr_in ip{};
  ip.sin_family = AF_INET;
  ip.sin_addr.s_addr = htonl(net_of_hosts | static_cast<in_addr_t>(from.host));
  ip.sin_port = htons(static_cast<in_port_t>(from.port));
  std::memcpy(into, &ip, std::min<std::size_t>(*size, sizeof ip));
  *size = sizeof ip;
}

/// How a stream that is broken answers: with its error once, with `then` after that.
int broken(Socket& socket, int then) {
  int error = std::exchange(socket.error, 0);
  return failed(error != 0 ? error : then);
}

ssize_t receive(Socket& socket, char* into, std::size_t most, int flags) {
  if (socket.readable() > 0) {
    return static_cast<ssize_t>(network().receive(socket, into, most, flags & MSG_PEEK));
  }
  if (socket.broken && socket.error != 0) return broken(socket, ECONNRESET);
  if (socket.ended) return 0;
  return failed(EAGAIN);
}

ssize_t send_some(int number, const char* bytes, std::size_t size) {
  Descriptor* descriptor = ours(number);
  if (!descriptor || !descriptor->socket) return failed(EBADF);
  Socket& socket = *descriptor->socket;
  if (socket.broken) return broken(socket, EPIPE);
  std::int64_t sent = network().send(descriptor->socket, {bytes, size});
  if (sent < 0) return failed(ENOTCONN);
  return sent == 0 && size > 0 ? failed(EAGAIN) : static_cast<ssize_t>(sent);
}

}  // namespace
}  // namespace relay::simulation

using namespace relay::simulation;

extern "C" {

int socket(int family, int type, int protocol) noexcept {
  if (!simulated()) {
    return static_cast<int>(libc_result(raw_call(SYS_socket, family, type, protocol)));
  }
  auto made = std::make_shared<Socket>();
  made->local.host = Schedule::present->process().host;
  return Descriptors::present->add_socket(std::move(made));
}

int bind(int number, const sockaddr* address, socklen_t size) noexcept {
  Socket* socket = socket_of(number);
  if (!socket) {
    return static_cast<int>(libc_result(raw_call(SYS_bind, number, word(address), size)));
  }
  socket->local = address_of(address);
  return 0;
}

int listen(int number, int backlog) noexcept {
  Descriptor* descriptor = ours(number);
  if (!descriptor) return static_cast<int>(libc_result(raw_call(SYS_listen, number, backlog)));
  network().listen(descriptor->socket);
  return 0;
}

int accept(int number, sockaddr* address, socklen_t* size) {
  Socket* socket = socket_of(number);
  if (!socket) {
    return static_cast<int>(libc_result(raw_call(SYS_accept, number, word(address), word(size))));
  }
  if (socket->backlog.empty()) return failed(EAGAIN);
  SocketPtr next = std::move(socket->backlog.front());
  socket->backlog.pop_front();
  write_address(next->remote, address, size);
  return Descriptors::present->add_socket(std::move(next));
}

int connect(int number, const sockaddr* address, socklen_t size) {
  Descriptor* descriptor = ours(number);
  if (!descriptor) {
    return static_cast<int>(libc_result(raw_call(SYS_connect, number, word(address), size)));
  }
  network().connect(descriptor->socket, address_of(address));
  return failed(EINPROGRESS);
}

int getsockname(int number, sockaddr* address, socklen_t* size) noexcept {
  Socket* socket = socket_of(number);
  if (!socket) {
    return static_cast<int>(
        libc_result(raw_call(SYS_getsockname, number, word(address), word(size))));
  }
  write_address(socket->local, address, size);
  return 0;
}

int getpeername(int number, sockaddr* address, socklen_t* size) noexcept {
  Socket* socket = socket_of(number);
  if (!socket) {
    return static_cast<int>(
        libc_result(raw_call(SYS_getpeername, number, word(address), word(size))));
  }
  write_address(socket->remote, address, size);
  return 0;
}

int getsockopt(int number, int level, int name, void* value, socklen_t* size) noexcept {
  Socket* socket = socket_of(number);
  if (!socket) {
    return static_cast<int>(
        libc_result(raw_call(SYS_getsockopt, number, level, name, word(value), word(size))));
  }
  int answer = level == SOL_SOCKET && name == SO_ERROR ? std::exchange(socket->error, 0) : 0;
  std::memcpy(value, &answer, std::min<std::size_t>(*size, sizeof answer));
  return 0;
}

int setsockopt(int number, int level, int name, const void* value, socklen_t size) noexcept {
  Socket* socket = socket_of(number);
  if (!socket) {
    return static_cast<int>(
        libc_result(raw_call(SYS_setsockopt, number, level, name, word(value), size)));
  }
  if (level != SOL_SOCKET || name != SO_LINGER) return 0;
  linger wish{};
  std::memcpy(&wish, value, sizeof wish);
  socket->linger_reset = wish.l_onoff && wish.l_linger == 0;
  return 0;
}

ssize_t recv(int number, void* into, size_t most, int flags) {
  if (Socket* socket = socket_of(number)) {
    return receive(*socket, static_cast<char*>(into), most, flags);
  }
  return libc_result(raw_call(SYS_recvfrom, number, word(into), static_cast<long>(most), flags));
}

ssize_t recvmsg(int number, msghdr* message, int flags) {
  Socket* socket = socket_of(number);
  if (!socket) return libc_result(raw_call(SYS_recvmsg, number, word(message), flags));
  ssize_t all = 0;
  for (std::size_t i = 0; i < message->msg_iovlen; ++i) {
    iovec& piece = message->msg_iov[i];
    ssize_t n = receive(*socket, static_cast<char*>(piece.iov_base), piece.iov_len, flags);
    if (n <= 0) return all > 0 ? all : n;
    all += n;
    if (static_cast<std::size_t>(n) < piece.iov_len) break;
  }
  return all;
}

ssize_t send(int number, const void* bytes, size_t size, int flags) {
  if (ours(number)) return send_some(number, static_cast<const char*>(bytes), size);
  return libc_result(raw_call(SYS_sendto, number, word(bytes), static_cast<long>(size), flags));
}

ssize_t sendmsg(int number, const msghdr* message, int flags) {
  if (!ours(number)) return libc_result(raw_call(SYS_sendmsg, number, word(message), flags));
  ssize_t all = 0;
  for (std::size_t i = 0; i < message->msg_iovlen; ++i) {
    const iovec& piece = message->msg_iov[i];
    if (piece.iov_len == 0) continue;
    ssize_t n = send_some(number, static_cast<const char*>(piece.iov_base), piece.iov_len);
    if (n < 0) return all > 0 ? all : n;
    all += n;
    if (static_cast<std::size_t>(n) < piece.iov_len) break;
  }
  return all;
}

ssize_t sendfile(int number, int file, off_t* at, size_t most) noexcept {
  Socket* socket = socket_of(number);
  if (!socket) {
    return libc_result(raw_call(SYS_sendfile, number, file, word(at), static_cast<long>(most)));
  }
  if (socket->broken) return broken(*socket, EPIPE);
  std::size_t some = std::min(most, network().room(*socket));
  if (some == 0) return failed(EAGAIN);
  auto bytes = std::make_unique_for_overwrite<char[]>(some);
  ssize_t got = ::pread(file, bytes.get(), some, *at);
  if (got < 0) return got;
  ssize_t sent = send_some(number, bytes.get(), static_cast<std::size_t>(got));
  if (sent > 0) *at += sent;
  return sent;
}

int shutdown(int number, int how) noexcept {
  Descriptor* descriptor = ours(number);
  if (!descriptor) return static_cast<int>(libc_result(raw_call(SYS_shutdown, number, how)));
  if (how != SHUT_RD) network().shut_down(descriptor->socket);
  return 0;
}

int close(int number) {
  if (!ours(number)) return static_cast<int>(libc_result(raw_call(SYS_close, number)));
  Descriptors::present->close(number);
  return 0;
}

int ioctl(int number, unsigned long request, ...) noexcept {
  va_list arguments;
  va_start(arguments, request);
  long argument = va_arg(arguments, long);
  va_end(arguments);
  Socket* socket = socket_of(number);
  if (!socket) {
    return static_cast<int>(
        libc_result(raw_call(SYS_ioctl, number, static_cast<long>(request), argument)));
  }
  if (request == SIOCOUTQ) {
    *reinterpret_cast<int*>(argument) = static_cast<int>(socket->flying_bytes);
  }
  return 0;
}

int epoll_create1(int flags) noexcept {
  if (simulated()) return Descriptors::present->add_epoll();
  return static_cast<int>(libc_result(raw_call(SYS_epoll_create1, flags)));
}

int epoll_ctl(int epoll, int operation, int number, epoll_event* event) noexcept {
  if (!ours(epoll)) {
    return static_cast<int>(
        libc_result(raw_call(SYS_epoll_ctl, epoll, operation, number, word(event))));
  }
  return static_cast<int>(
      libc_result(Descriptors::present->control(epoll, operation, number, event)));
}

int epoll_wait(int epoll, epoll_event* events, int most, int timeout_ms) {
  if (!ours(epoll)) {
    return static_cast<int>(
        libc_result(raw_call(SYS_epoll_wait, epoll, word(events), most, timeout_ms)));
  }
  return static_cast<int>(libc_result(Descriptors::present->wait(epoll, events, most, timeout_ms)));
}

int eventfd(unsigned count, int flags) noexcept {
  if (simulated()) return Descriptors::present->add_event(count);
  return static_cast<int>(libc_result(raw_call(SYS_eventfd2, count, flags)));
}

/// Asio asks so whether a connection is there; it never waits here.
int poll(pollfd* asked, nfds_t count, int timeout_ms) {
  if (count != 1 || !ours(asked->fd)) {
    return static_cast<int>(
        libc_result(raw_call(SYS_poll, word(asked), static_cast<long>(count), timeout_ms)));
  }
  std::uint32_t state = Descriptors::present->state_of(*ours(asked->fd));
  asked->revents = static_cast<short>(state & (static_cast<unsigned short>(asked->events) |
                                               static_cast<unsigned>(POLLERR | POLLHUP)));
  return asked->revents != 0;
}

/// None for a simulated program: Asio then waits in epoll_wait for its timers.
int timerfd_create(clockid_t clock, int flags) noexcept {
  if (simulated()) return failed(EMFILE);
  return static_cast<int>(libc_result(raw_call(SYS_timerfd_create, clock, flags)));
}

ssize_t read(int number, void* into, size_t most) {
  Descriptor* descriptor = ours(number);
  if (!descriptor) {
    return libc_result(raw_call(SYS_read, number, word(into), static_cast<long>(most)));
  }
  if (descriptor->socket) return recv(number, into, most, 0);
  std::uint64_t count = std::exchange(descriptor->event_count, 0);
  if (count == 0) return failed(EAGAIN);
  std::memcpy(into, &count, sizeof count);
  return sizeof count;
}

}  // extern "C"
