// The network of the world: streams between hosts, in order and whole as TCP gives them, over links
// that are slow, lose packets (a lost one comes later, and all behind it), are cut, or break.
// What is lost for good is lost with its connection; what overtakes something does so on another.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/simulation/schedule.hpp"

namespace relay::simulation {

struct Address {
  int host = 0;  // 127.0.1.HOST
  int port = 0;
  auto operator<=>(const Address&) const = default;
};

/// From one host to another, one way.
struct Link {
  Time latency = std::chrono::microseconds(100);
  Time jitter = std::chrono::microseconds(100);
  double bytes_per_ns = 1.0;
  std::uint64_t lost_one_in = 0;  // packets; 0: none
  bool cut = false;
};

/// One end of a stream, or a listening place. Whoever owns it hears by on_change that it became
/// readable, writable, or ended.
struct Socket {
  Address local, remote;
  bool listening = false, connecting = false, connected = false;
  bool closed = false;  // by its owner
  bool ended = false;   // the other end sends nothing more
  int error = 0;        // errno of how it broke, until it was told
  bool broken = false;
  bool linger_reset = false;
  std::string inbox;
  std::size_t taken = 0;  // of the inbox
  std::deque<std::shared_ptr<Socket>> backlog;
  std::function<void()> on_change;

  std::size_t readable() const { return inbox.size() - taken; }

  // The network's own.
  struct Segment {
    std::string bytes;
    bool end = false, reset = false;
  };
  std::weak_ptr<Socket> peer;
  std::deque<Segment> flying;  // towards the peer
  std::size_t flying_bytes = 0;
  Time last_at{0};
};
using SocketPtr = std::shared_ptr<Socket>;

class Network {
 public:
  Network(Schedule& schedule, Random random) : schedule_(schedule), random_(random) {}

  Link& link(int from, int to) { return links_[{from, to}]; }
  /// Both ways.
  void set_cut(int one, int other, bool cut);
  /// All streams between the two break: each end is told by a reset.
  void reset_between(int one, int other);
  /// So many streams of that host are open, counted at their other ends.
  std::vector<SocketPtr> streams_of(int host) const;

  void listen(const SocketPtr& socket);
  /// on_change tells when connected or broken (ECONNREFUSED).
  void connect(const SocketPtr& socket, Address to);
  /// Takes as many as there is room for; -1: it is broken.
  std::int64_t send(const SocketPtr& socket, std::string_view bytes);
  std::size_t room(const Socket& socket) const;
  std::size_t receive(Socket& socket, char* into, std::size_t most, bool peek);
  void shut_down(const SocketPtr& socket);  // sends nothing more
  void close(const SocketPtr& socket);

 private:
  static constexpr std::size_t window_bytes = 128 * 1024;
  void transmit(const SocketPtr& from, Socket::Segment segment);
  void deliver(const std::weak_ptr<Socket>& from, Time patience);
  void arrive(Socket& at, Socket::Segment segment);
  void try_connect(const SocketPtr& socket, Time patience);
  void break_off(Socket& socket, int error);
  Time delay(int from, int to, std::size_t bytes);
  static void tell(Socket& socket) {
    if (socket.on_change && !socket.closed) socket.on_change();
  }

  Schedule& schedule_;
  Random random_;
  std::map<std::pair<int, int>, Link> links_;
  std::map<Address, std::weak_ptr<Socket>> places_;
  std::vector<std::weak_ptr<Socket>> streams_;
  int ports_ = 20'000;
};

}  // namespace relay::simulation
