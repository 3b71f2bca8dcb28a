#include "tests/simulation/descriptors.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace relay::simulation {

Descriptors* Descriptors::present = nullptr;

int Descriptors::add(Descriptor descriptor) {
  descriptor.owner = &schedule_.process();
  all_.push_back(std::make_unique<Descriptor>(std::move(descriptor)));
  return first_descriptor + static_cast<int>(all_.size()) - 1;
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
  auto at = static_cast<std::size_t>(number - first_descriptor);
  return number >= first_descriptor && at < all_.size() ? all_[at].get() : nullptr;
}

void Descriptors::close(int number) {
  Descriptor* closed = find(number);
  if (!closed) return;
  if (closed->socket) network_.close(closed->socket);
  for (auto& other : all_) {
    if (closed->epoll && other && other->watcher == closed->epoll.get()) other->watcher = nullptr;
  }
  all_[static_cast<std::size_t>(number - first_descriptor)].reset();
}

void Descriptors::close_all_of(const Process& process) {
  for (std::size_t i = 0; i < all_.size(); ++i) {
    if (all_[i] && all_[i]->owner == &process) close(first_descriptor + static_cast<int>(i));
  }
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
