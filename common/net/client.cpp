#include "common/net/client.hpp"

#include <fmt/format.h>

#include <charconv>
#include <map>

#include "common/base/limits.hpp"
#include "common/net/connection.hpp"

namespace relay::net {

Result<Endpoint> endpoint_of(std::string_view url) {
  auto refuse = [&] {
    return bad_input(fmt::format("'{}' is not a usable address; want http://HOST:PORT", url));
  };
  constexpr std::string_view scheme = "http://";
  if (!url.starts_with(scheme)) return refuse();
  std::string_view rest = url.substr(scheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.empty() || rest.find_first_of("/?#@ ") != std::string_view::npos) return refuse();
  std::size_t colon = rest.rfind(':');
  if (colon != std::string_view::npos && rest.find(']', colon) != std::string_view::npos) {
    colon = std::string_view::npos;
  }
  Endpoint endpoint;
  std::string_view host = rest.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  if (host.empty()) return refuse();
  endpoint.host = host;
  if (colon == std::string_view::npos) return endpoint;
  std::string_view port = rest.substr(colon + 1);
  auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (error != std::errc{} || end != port.data() + port.size() || endpoint.port == 0) {
    return refuse();
  }
  return endpoint;
}

struct Client::Impl {
  explicit Impl(asio::io_context& io) : io(io) {}
  asio::io_context& io;
  std::map<Endpoint, std::vector<std::unique_ptr<Connection>>> idle;

  std::unique_ptr<Connection> take_idle(const Endpoint& endpoint);
  void put_back(std::unique_ptr<Connection> connection);
};

/// The newest that still lives: it is the least likely to be closed by the peer.
std::unique_ptr<Connection> Client::Impl::take_idle(const Endpoint& endpoint) {
  auto at = idle.find(endpoint);
  if (at == idle.end()) return nullptr;
  auto& pool = at->second;
  while (!pool.empty()) {
    auto connection = std::move(pool.back());
    pool.pop_back();
    bool young = steady_now() - connection->idle_since < limits::idle_connection_age;
    if (!young || !connection->alive()) continue;
    connection->idle = false;
    return connection;
  }
  return nullptr;
}

void Client::Impl::put_back(std::unique_ptr<Connection> connection) {
  if (asio::use_service<Watchdog>(io).draining()) return;
  auto& pool = idle[connection->endpoint()];
  if (pool.size() >= limits::idle_connections_max) return;
  connection->idle = true;
  connection->idle_since = steady_now();
  connection->arm(limits::idle_connection_age);
  pool.push_back(std::move(connection));
}

struct ClientResponse::State {
  std::shared_ptr<Client::Impl> pool;
  std::unique_ptr<Connection> connection;
  http::ResponseHead head;
  http::BodyFraming framing;
  std::chrono::milliseconds stall;
  bool complete = false;

  void end() {
    complete = true;
    connection->given_up_when = {};
    if (connection->reusable()) pool->put_back(std::move(connection));
    connection.reset();
  }
};

ClientResponse::ClientResponse(std::unique_ptr<State> state) : state_(std::move(state)) {
}
ClientResponse::~ClientResponse() = default;
ClientResponse::ClientResponse(ClientResponse&&) noexcept = default;
ClientResponse& ClientResponse::operator=(ClientResponse&&) noexcept = default;
const http::ResponseHead& ClientResponse::head() const {
  return state_->head;
}
http::BodyFraming ClientResponse::framing() const {
  return state_->framing;
}
bool ClientResponse::complete() const {
  return state_->complete;
}

Task<Result<std::size_t>> ClientResponse::read(std::span<char> into) {
  State& state = *state_;
  if (state.complete) co_return std::size_t{0};
  auto n = co_await state.connection->body().read(into, state.stall);
  if (n && state.connection->body().done()) state.end();
  co_return n;
}

Client::Client(asio::io_context& io) : impl_(std::make_shared<Impl>(io)) {
}
Client::~Client() = default;
asio::io_context& Client::io() const {
  return impl_->io;
}
void Client::close_idle() {
  impl_->idle.clear();
}

namespace {

bool idempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "PUT" ||
         method == "DELETE";
}

Task<Result<http::ResponseHead>> ask(Connection& connection, const ClientRequest& request,
                                     std::chrono::milliseconds wait) {
  if (auto sent = co_await connection.send(request); !sent) {
    co_return std::unexpected(sent.error());
  }
  co_return co_await connection.read_head(request, wait);
}

}  // namespace

Task<Result<ClientResponse>> Client::send(Endpoint endpoint, ClientRequest request,
                                          ClientDeadlines deadlines) {
  auto pool = impl_;  // the client may go while this waits
  auto connection = pool->take_idle(endpoint);
  bool reused = connection != nullptr;
  if (!reused) {
    connection = std::make_unique<Connection>(pool->io, endpoint);
  }
  connection->given_up_when = deadlines.given_up;
  if (!reused) {
    auto connected = co_await connection->connect(deadlines.connect);
    if (!connected) co_return std::unexpected(connected.error());
  }
  auto head = co_await ask(*connection, request, deadlines.first_byte);
  bool stale = !head && reused && connection->silent() && idempotent(request.method) &&
               head.error().kind == ErrorKind::aborted;
  if (stale) {  // the peer closed it while it was idle
    connection = std::make_unique<Connection>(pool->io, endpoint);
    connection->given_up_when = deadlines.given_up;
    auto connected = co_await connection->connect(deadlines.connect);
    if (!connected) co_return std::unexpected(connected.error());
    head = co_await ask(*connection, request, deadlines.first_byte);
  }
  if (!head) co_return std::unexpected(head.error());
  auto state = std::make_unique<ClientResponse::State>();
  state->pool = std::move(pool);
  state->framing = connection->framing();
  state->head = std::move(*head);
  state->stall = deadlines.stall;
  state->connection = std::move(connection);
  if (state->connection->body().done()) state->end();
  co_return ClientResponse(std::move(state));
}

}  // namespace relay::net
