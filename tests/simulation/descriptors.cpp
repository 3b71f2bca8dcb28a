#include "tests/simulation/descriptors.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

namespace relay::simulation {

Descriptors* Descriptors::present = nullptr;

int Descriptors::add(Descriptor descriptor) {
  int number = next_++;
  descriptor.owner = &schedule_.process();
  all_.emplace(number, std::move(descriptor));
  return number;
}

int Descriptors::add_socket(SocketPtr socket) {
  int number = add({.socket = socket});
  socket->on_change = [this, number] { tell(number); };
  return number;
}

int Descriptors::add_epoll() {
  return add({.epoll = std::make_unique<Epoll>()});
}

int Descriptors::add_event(unsigned count) {
  return add({.event_count = count});
}

Descriptor* Descriptors::find(int number) {
  auto at = all_.find(number);
  return at == all_.end() ? nullptr : &at->second;
}

void Descriptors::close(int number) {
  auto at = all_.find(number);
  if (at == all_.end()) return;
  if (at->second.socket) network_.close(at->second.socket);
  if (at->second.epoll) {
    for (auto& [other, descriptor] : all_) {
      if (descriptor.watcher == at->second.epoll.get()) descriptor.watcher = nullptr;
    }
  }
  all_.erase(at);
}

void Descriptors::close_all_of(const Process& process) {
  std::vector<int> numbers;
  for (auto& [number, descriptor] : all_) {
    if (descriptor.owner == &process) numbers.push_back(number);
  }
  for (int number : numbers) close(number);
}

std::uint32_t Descriptors::state_of(const Descriptor& descriptor) const {
  if (!descriptor.socket) return descriptor.event_count > 0 ? EPOLLIN : 0;
  const Socket& socket = *descriptor.socket;
  if (socket.listening) return socket.backlog.empty() ? 0 : EPOLLIN;
  if (socket.broken) return EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP;
  std::uint32_t state = 0;
  if (socket.readable() > 0 || socket.ended) state |= EPOLLIN;
  if (socket.ended) state |= EPOLLRDHUP;
  if (socket.connected && network_.room(socket) > 0) state |= EPOLLOUT;
  return state;
}

void Descriptors::tell(int number) {
  Descriptor* descriptor = find(number);
  if (!descriptor || !descriptor->watcher || descriptor->queued) return;
  descriptor->queued = true;
  descriptor->watcher->ready.push_back(number);
  schedule_.wake_one(descriptor->watcher);
}

int Descriptors::control(int epoll, int operation, int number, const epoll_event* asked) {
  Descriptor* watcher = find(epoll);
  if (!watcher || !watcher->epoll) return -EBADF;
  if (number < first_descriptor) return 0;  // a pipe that signals would come by: none do here
  Descriptor* descriptor = find(number);
  if (!descriptor) return -EBADF;
  if (operation == EPOLL_CTL_DEL) {
    descriptor->watcher = nullptr;
    return 0;
  }
  descriptor->watcher = watcher->epoll.get();
  descriptor->asked = *asked;
  if (state_of(*descriptor) & (asked->events | EPOLLERR | EPOLLHUP)) tell(number);
  return 0;
}

int Descriptors::gather(Epoll& epoll, epoll_event* events, int most) {
  int count = 0;
  while (count < most && !epoll.ready.empty()) {
    int number = epoll.ready.front();
    epoll.ready.pop_front();
    Descriptor* descriptor = find(number);
    if (!descriptor) continue;
    descriptor->queued = false;
    if (descriptor->watcher != &epoll) continue;
    std::uint32_t state = state_of(*descriptor) & (descriptor->asked.events | EPOLLERR | EPOLLHUP);
    if (state == 0) continue;
    events[count++] = {state, descriptor->asked.data};
  }
  return count;
}

int Descriptors::wait(int number, epoll_event* events, int most, int timeout_ms) {
  Descriptor* descriptor = find(number);
  if (!descriptor || !descriptor->epoll) return -EBADF;
  Epoll& epoll = *descriptor->epoll;
  Time until = never;
  if (timeout_ms >= 0) until = schedule_.now() + std::chrono::milliseconds(timeout_ms);
  while (true) {
    int count = gather(epoll, events, most);
    if (count > 0 || timeout_ms == 0) return count;
    if (!schedule_.wait(&epoll, until) && epoll.ready.empty()) return 0;
  }
}

}  // namespace relay::simulation
