#include "tests/simulation/network.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace relay::simulation {
namespace {

using namespace std::chrono_literals;

// How long TCP waits before it sends again what was lost, at first and at most here.
constexpr Time again_least = 200ms;
constexpr Time again_most = 1600ms;

}  // namespace

void Network::set_cut(int one, int other, bool cut) {
  link(one, other).cut = cut;
  link(other, one).cut = cut;
}

std::vector<SocketPtr> Network::streams_of(int host) const {
  std::vector<SocketPtr> found;
  for (const auto& each : streams_) {
    SocketPtr socket = each.lock();
    if (socket && socket->local.host == host && !socket->closed) found.push_back(socket);
  }
  return found;
}

void Network::reset_between(int one, int other) {
  for (const SocketPtr& socket : streams_of(one)) {
    if (socket->remote.host != other || !socket->connected) continue;
    if (SocketPtr peer = socket->peer.lock()) break_off(*peer, ECONNRESET);
    break_off(*socket, ECONNRESET);
  }
}

Time Network::delay(int from, int to, std::size_t bytes) {
  Link& way = link(from, to);
  auto jitter = Time(random_.between(0, way.jitter.count()));
  auto travel = Time(static_cast<std::int64_t>(static_cast<double>(bytes) / way.bytes_per_ns));
  Time all = way.latency + jitter + travel;
  if (way.lost_one_in > 0 && random_.one_in(way.lost_one_in)) all += again_least;
  return all;
}

void Network::listen(const SocketPtr& socket) {
  socket->listening = true;
  places_[socket->local] = socket;
}

void Network::connect(const SocketPtr& socket, Address to) {
  socket->remote = to;
  socket->local.port = ++ports_;
  socket->connecting = true;
  std::erase_if(streams_, [](const auto& each) { return each.expired(); });
  streams_.push_back(socket);
  schedule_.after(delay(socket->local.host, to.host, 0),
                  [this, socket] { try_connect(socket, 1000ms); });
}

void Network::try_connect(const SocketPtr& socket, Time patience) {
  if (socket->closed) return;
  int from = socket->local.host, to = socket->remote.host;
  if (link(from, to).cut || link(to, from).cut) {
    schedule_.after(patience, [this, socket, patience] { try_connect(socket, 2 * patience); });
    return;
  }
  auto at = places_.find(socket->remote);
  SocketPtr place = at == places_.end() ? nullptr : at->second.lock();
  Time back = delay(to, from, 0);
  if (!place || place->closed) {
    schedule_.after(back, [this, socket] { break_off(*socket, ECONNREFUSED); });
    return;
  }
  auto other = std::make_shared<Socket>();
  other->local = socket->remote;
  other->remote = socket->local;
  other->connected = true;
  other->peer = socket;
  socket->peer = other;
  streams_.push_back(other);
  place->backlog.push_back(other);
  tell(*place);
  // The accepting end lives in the backlog, or with who accepts it, from now on.
  schedule_.after(back, [socket] {
    if (socket->closed || socket->broken) return;
    socket->connecting = false;
    socket->connected = true;
    tell(*socket);
  });
}

std::size_t Network::room(const Socket& socket) const {
  SocketPtr peer = socket.peer.lock();
  std::size_t used = socket.flying_bytes + (peer ? peer->readable() : 0);
  return used >= window_bytes ? 0 : window_bytes - used;
}

std::int64_t Network::send(const SocketPtr& socket, std::string_view bytes) {
  if (socket->broken || !socket->connected) return -1;
  std::size_t n = std::min(room(*socket), bytes.size());
  if (n > 0) transmit(socket, {std::string(bytes.substr(0, n))});
  return static_cast<std::int64_t>(n);
}

void Network::transmit(const SocketPtr& from, Socket::Segment segment) {
  Time arrives = schedule_.now() + delay(from->local.host, from->remote.host, segment.bytes.size());
  from->last_at = std::max(from->last_at, arrives);
  from->flying_bytes += segment.bytes.size();
  from->flying.push_back(std::move(segment));
  // Holds it: what was sent before a close still arrives.
  schedule_.at(from->last_at, [this, from] { deliver(from, again_least); });
}

/// Each flying segment has its event; each event delivers the oldest that is left.
void Network::deliver(const std::weak_ptr<Socket>& weak, Time patience) {
  SocketPtr from = weak.lock();
  if (!from || from->flying.empty()) return;
  if (link(from->local.host, from->remote.host).cut) {
    Time wait = patience + Time(random_.between(0, patience.count()));
    schedule_.after(
        wait, [this, from, patience] { deliver(from, std::min<Time>(2 * patience, again_most)); });
    return;
  }
  Socket::Segment segment = std::move(from->flying.front());
  from->flying.pop_front();
  from->flying_bytes -= segment.bytes.size();
  SocketPtr peer = from->peer.lock();
  if (peer && !peer->closed) {
    arrive(*peer, std::move(segment));
  } else if (!segment.reset && !from->broken) {
    // Nobody is there any more: the sender hears of it.
    schedule_.after(delay(from->remote.host, from->local.host, 0),
                    [this, from] { break_off(*from, ECONNRESET); });
  }
}

void Network::arrive(Socket& at, Socket::Segment segment) {
  if (at.broken) return;
  if (segment.reset) {
    break_off(at, ECONNRESET);
    return;
  }
  if (at.taken == at.inbox.size()) at.inbox.clear(), at.taken = 0;
  at.inbox += segment.bytes;
  at.ended = at.ended || segment.end;
  tell(at);
}

void Network::break_off(Socket& socket, int error) {
  if (socket.broken || socket.closed) return;
  socket.broken = socket.ended = true;
  socket.connecting = socket.connected = false;
  socket.error = error;
  socket.flying.clear();
  socket.flying_bytes = 0;
  tell(socket);
}

std::size_t Network::receive(Socket& socket, char* into, std::size_t most, bool peek) {
  std::size_t n = std::min(most, socket.readable());
  std::memcpy(into, socket.inbox.data() + socket.taken, n);
  if (peek) return n;
  SocketPtr peer = socket.peer.lock();
  bool was_full = peer && room(*peer) == 0;
  socket.taken += n;
  if (was_full && n > 0) tell(*peer);
  return n;
}

void Network::shut_down(const SocketPtr& socket) {
  if (socket->connected && !socket->broken) transmit(socket, {{}, true});
}

/// With something unread, or at its owner's wish, a close is a reset.
void Network::close(const SocketPtr& socket) {
  if (socket->closed) return;
  socket->closed = true;
  for (const SocketPtr& each : socket->backlog) close(each);
  bool taken = socket->connecting && socket->peer.lock();  // the other end waits for bytes already
  if (socket->broken || !(socket->connected || taken)) return;
  bool reset = taken || socket->linger_reset || socket->readable() > 0;
  if (reset) socket->flying.clear(), socket->flying_bytes = 0;
  transmit(socket, {{}, true, reset});
}

}  // namespace relay::simulation
