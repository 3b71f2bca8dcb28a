// The descriptors that simulated programs hold: sockets of the Network, edge-triggered epolls and
// eventfds. Files are the true ones, with numbers below `first_descriptor`.
#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "tests/simulation/network.hpp"

namespace relay::simulation {

inline constexpr int first_descriptor = 1'000'000;

struct Epoll;

struct Descriptor {
  Process* owner = nullptr;
  SocketPtr socket;  // one of these
  std::unique_ptr<Epoll> epoll;
  std::uint64_t event_count = 0;  // of an eventfd
  // In which epoll it is, and what is asked there.
  Epoll* watcher = nullptr;
  epoll_event asked{};
  bool queued = false;
};

struct Epoll {
  std::deque<int> ready;
};

class Descriptors {
 public:
  Descriptors(Schedule& schedule, Network& network) : schedule_(schedule), network_(network) {}
  static Descriptors* present;

  Network& network() { return network_; }
  int add_socket(SocketPtr socket);
  int add_epoll();
  int add_event(unsigned count);
  /// Null: no such one.
  Descriptor* find(int number);
  void close(int number);
  /// What the kernel does for a program that ended.
  void close_all_of(const Process& process);

  int control(int epoll, int operation, int number, const epoll_event* asked);
  int wait(int epoll, epoll_event* events, int most, int timeout_ms);
  /// Readable, writable, ended: what epoll and poll tell of it.
  std::uint32_t state_of(const Descriptor& descriptor) const;
  /// Something changed: whoever watches it looks again.
  void tell(int number);

 private:
  int add(Descriptor descriptor);
  int gather(Epoll& epoll, epoll_event* events, int most);

  Schedule& schedule_;
  Network& network_;
  std::vector<std::unique_ptr<Descriptor>> all_;  // null: closed
};

}  // namespace relay::simulation
