// A plain blocking TCP client and a one-thread server for tests of what stands on the wire.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace relay::tests {

/// A connection with a 5 s deadline on every read and write.
class TcpPeer {
 public:
  explicit TcpPeer(int fd) : fd_(fd) {
    timeval limit{5, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  static TcpPeer connect(unsigned short port) {
    int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at);
    return TcpPeer(fd);
  }
  TcpPeer(TcpPeer&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~TcpPeer() { close(); }

  bool send(std::string_view bytes) {
    return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  /// Everything until the text holds `mark` (or the end, or the deadline).
  std::string read_until(std::string_view mark) {
    while (text_.find(mark) == std::string::npos && read_some()) {
    }
    std::size_t at = text_.find(mark);
    std::size_t n = at == std::string::npos ? text_.size() : at + mark.size();
    std::string taken = text_.substr(0, n);
    text_.erase(0, n);
    return taken;
  }
  std::string read_to_end() {
    while (read_some()) {
    }
    return std::exchange(text_, {});
  }
  /// Whether the last read found nothing within its deadline, not even an end.
  bool timed_out() const { return error_ == EAGAIN; }
  /// After the end: whether the other side reset instead of closing.
  bool was_reset() const { return error_ == ECONNRESET; }
  void half_close() { ::shutdown(fd_, SHUT_WR); }
  void reset() {
    linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  bool read_some() {
    char buffer[16384];
    ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n < 0) error_ = errno;
    if (n <= 0) return false;
    text_.append(buffer, static_cast<std::size_t>(n));
    return true;
  }
  int fd_;
  int error_ = 0;
  std::string text_;
};

/// Listens on a free port; `serve` is called for each connection, one after another.
class TcpOrigin {
 public:
  template <class Serve>
  explicit TcpOrigin(Serve serve) {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at);
    ::listen(fd_, 64);
    socklen_t size = sizeof at;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([fd = fd_, serve] {
      while (true) {
        int client = ::accept(fd, nullptr, nullptr);
        if (client < 0) return;
        TcpPeer peer(client);
        serve(peer);
      }
    });
  }
  ~TcpOrigin() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  unsigned short port() const { return port_; }

 private:
  int fd_;
  unsigned short port_ = 0;
  std::thread thread_;
};

}  // namespace relay::tests
