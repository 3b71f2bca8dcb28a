#include "common/net/server.hpp"

#include <boost/asio/signal_set.hpp>

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "common/base/limits.hpp"
#include "common/base/log.hpp"
#include "common/net/address.hpp"
#include "common/net/client_connection.hpp"
#include "common/net/timer.hpp"

namespace relay::net {
namespace {

struct ReusePort {  // a SettableSocketOption; Asio has no public one
  int on = 1;
  template <class P>
  int level(const P&) const {
    return SOL_SOCKET;
  }
  template <class P>
  int name(const P&) const {
    return SO_REUSEPORT;
  }
  template <class P>
  const void* data(const P&) const {
    return &on;
  }
  template <class P>
  std::size_t size(const P&) const {
    return sizeof on;
  }
};

/// One listening socket of one worker.
struct Door {
  Acceptor acceptor;
  Handler* handler;
};

}  // namespace

/// A thread's world. io is last: destroying it destroys suspended coroutines, which use the rest.
struct Worker {
  std::vector<std::unique_ptr<Door>> doors;
  bool draining = false;
  std::size_t connections = 0;
  QuietWaits quiet;
  asio::io_context io{1};

  Task<void> accept_loop(Door& door);
  unsigned short listen(const Listen& listen, asio::ip::tcp::endpoint at);
  void drain(std::chrono::milliseconds grace);
};

Task<void> Worker::accept_loop(Door& door) {
  while (!draining) {
    asio::ip::tcp::endpoint from;
    auto [error, socket] = co_await door.acceptor.async_accept(from, use_result);
    if (error == asio::error::operation_aborted) co_return;
    if (error || connections >= limits::connections_max) {
      // Out of descriptors or of places: pause, neither spin nor end.
      log::warn("cannot take a connection",
                {kv("why", error ? error.message() : std::string("too many connections"))});
      Timer pause(io, std::chrono::milliseconds(100));
      co_await pause.async_wait(use_result);
      continue;
    }
    auto peer = from.address().to_string();
    ++connections;
    ClientConnection::start(io, Socket(std::move(socket)), *door.handler, std::move(peer), quiet,
                            [this] { --connections; });
  }
}

/// Sockets of all workers share a port (SO_REUSEPORT), and would share it with another program of
/// the same user as well, each getting some of the connections. This one shares with nobody.
void check_free(const Listen& listen, asio::ip::tcp::endpoint at) {
  asio::io_context io;
  Acceptor alone(io);
  try {
    alone.open(at.protocol());
    alone.set_option(Acceptor::reuse_address(true));
    alone.bind(at);
  } catch (const boost::system::system_error& error) {
    throw std::runtime_error(
        fmt::format("cannot listen on {}: {}", listen.address, error.code().message()));
  }
}

unsigned short Worker::listen(const Listen& listen, asio::ip::tcp::endpoint at) {
  auto door = std::make_unique<Door>(Door{Acceptor(io), listen.handler});
  try {
    door->acceptor.open(at.protocol());
    door->acceptor.set_option(Acceptor::reuse_address(true));
    door->acceptor.set_option(ReusePort{});
    tune(door->acceptor);
    door->acceptor.bind(at);
    door->acceptor.listen(4096);
  } catch (const boost::system::system_error& error) {
    throw std::runtime_error(
        fmt::format("cannot listen on {}: {}", listen.address, error.code().message()));
  }
  auto port = door->acceptor.local_endpoint().port();
  spawn(io, accept_loop(*door));
  doors.push_back(std::move(door));
  return port;
}

void Worker::drain(std::chrono::milliseconds grace) {
  draining = true;
  boost::system::error_code ignored;
  for (auto& door : doors) door->acceptor.close(ignored);
  asio::use_service<Watchdog>(io).drain(grace);
}

struct Server::Impl {
  explicit Impl(ServerOptions given) : options(std::move(given)) {}
  ServerOptions options;
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<unsigned short> ports;
  std::function<Task<void>()> farewell;
  std::vector<std::function<void()>> stop_callbacks;
  std::function<void()> on_reload;
  std::unique_ptr<asio::signal_set> signals;
  std::atomic<bool> stopping{false};
  bool stop_asked = false;  // the first worker's
  std::mutex ended_mutex;
  std::condition_variable ended_signal;
  bool ended = false;      // guarded by ended_mutex: all workers have returned
  std::jthread hard_stop;  // waits for that, a little longer than the grace

  void bind();
  void wait_for_signal();
  void ask_to_stop();
  Task<void> take_leave();
  void stop();
  void stop_hard_later();
};

void Server::Impl::bind() {
  for (const Listen& listen : options.listens) {
    auto at = parse_address(listen.address);
    check_free(listen, at);
    for (auto& worker : workers) {
      at.port(worker->listen(listen, at));
      if (!listen.every_worker) break;
    }
    ports.push_back(at.port());
  }
}

void Server::Impl::wait_for_signal() {
  signals->async_wait([this](boost::system::error_code error, int number) {
    if (error) return;
    if (number == SIGHUP) {
      if (on_reload) on_reload();
      wait_for_signal();
      return;
    }
    ask_to_stop();
  });
}

/// On the first worker's thread, as what follows.
void Server::Impl::ask_to_stop() {
  if (std::exchange(stop_asked, true)) return;
  if (farewell) {
    spawn(workers.front()->io, take_leave());
  } else {
    stop();
  }
}

Task<void> Server::Impl::take_leave() {
  co_await farewell();
  stop();
}

void Server::Impl::stop() {
  if (stopping.exchange(true)) return;
  log::info("draining", {kv("grace_ms", options.drain_grace.count())});
  boost::system::error_code ignored;
  signals->cancel(ignored);
  // Before the callbacks: what these post comes to workers that put no connection back any more.
  for (auto& worker : workers) {
    asio::post(worker->io, [this, raw = worker.get()] { raw->drain(options.drain_grace); });
  }
  for (auto& callback : stop_callbacks) callback();
  stop_hard_later();
}

/// Whatever still keeps a worker busy a little after the grace ends with it.
void Server::Impl::stop_hard_later() {
  hard_stop = std::jthread([this] {
    std::unique_lock lock(ended_mutex);
    auto wait = options.drain_grace + std::chrono::milliseconds(1000);
    if (ended_signal.wait_for(lock, wait, [this] { return ended; })) return;
    log::warn("work is left after the grace", {});
    for (auto& worker : workers) worker->io.stop();
  });
}

Server::Server(ServerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {
  for (unsigned i = 0; i < std::max(1u, impl_->options.threads); ++i) {
    impl_->workers.push_back(std::make_unique<Worker>());
    impl_->workers.back()->quiet = impl_->options.quiet;
  }
  impl_->bind();
  impl_->signals = std::make_unique<asio::signal_set>(impl_->workers.front()->io, SIGTERM, SIGINT);
  impl_->signals->add(SIGHUP);
  std::signal(SIGPIPE, SIG_IGN);
}

Server::~Server() = default;

std::vector<asio::io_context*> Server::workers() {
  std::vector<asio::io_context*> contexts;
  for (auto& worker : impl_->workers) contexts.push_back(&worker->io);
  return contexts;
}

std::vector<unsigned short> Server::ports() const {
  return impl_->ports;
}

void Server::before_stop(std::function<Task<void>()> farewell) {
  impl_->farewell = std::move(farewell);
}

void Server::on_stop(std::function<void()> callback) {
  impl_->stop_callbacks.push_back(std::move(callback));
}

void Server::stop() {
  asio::post(impl_->workers.front()->io, [this] { impl_->ask_to_stop(); });
}

void Server::run(std::function<void()> on_reload) {
  impl_->on_reload = std::move(on_reload);
  impl_->wait_for_signal();
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < impl_->workers.size(); ++i) {
    threads.emplace_back([worker = impl_->workers[i].get()] { worker->io.run(); });
  }
  impl_->workers.front()->io.run();
  threads.clear();
  std::lock_guard lock(impl_->ended_mutex);
  impl_->ended = true;
  impl_->ended_signal.notify_all();
}

void serve_connected(asio::io_context& io, int fd, Handler& handler, std::function<void()> closed) {
  Socket socket(io, asio::generic::stream_protocol(AF_UNIX, 0), fd);
  ClientConnection::start(io, std::move(socket), handler, "unix", QuietWaits(), std::move(closed));
}

}  // namespace relay::net
