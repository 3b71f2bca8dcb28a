#include "common/net/connection.hpp"

#include <boost/asio/ip/address.hpp>

#include <fmt/format.h>
#include <sys/socket.h>

#include "common/base/limits.hpp"

namespace relay::net {
namespace {

using Resolver = asio::ip::basic_resolver<asio::ip::tcp, Executor>;

std::string host_field(const Endpoint& endpoint) {
  bool bare_v6 = endpoint.host.find(':') != std::string::npos;
  std::string host = bare_v6 ? "[" + endpoint.host + "]" : endpoint.host;
  return endpoint.port == 80 ? host : fmt::format("{}:{}", host, endpoint.port);
}

/// What belongs to the connection and not to who asks: the body's framing is made here, from the
/// body that is sent, and nobody waits for a 100 before it. A length that came along from another
/// message would make the next request a part of this one's body.
bool is_of_connection(std::string_view name) {
  return http::same_name(name, "Content-Length") || http::same_name(name, "Transfer-Encoding") ||
         http::same_name(name, "Expect");
}

std::string head_text(const ClientRequest& request, const Endpoint& endpoint) {
  constexpr std::size_t usual_fields_bytes = 512;
  std::string text;
  text.reserve(request.target.size() + usual_fields_bytes);
  text.append(request.method).append(" ").append(request.target).append(" HTTP/1.1\r\n");
  if (!request.headers.find("Host")) text += "Host: " + host_field(endpoint) + "\r\n";
  for (const http::Field& field : request.headers.fields()) {
    if (is_of_connection(field.name)) continue;
    text.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  bool wants_length = request.method == "PUT" || request.method == "POST" ||
                      request.method == "PATCH" || !request.body.empty();
  if (wants_length) text += fmt::format("Content-Length: {}\r\n", request.body.size());
  return text += "\r\n";
}

/// A 100 is for us alone, if for anybody: nobody sent Expect.
void tell_interim(const ClientRequest& request, const http::ResponseHeadView& head) {
  auto on_interim = request.on_interim.lock();
  if (on_interim && head.status != 100) (*on_interim)({head.status, http::Headers(head.fields)});
}

}  // namespace

Connection::Connection(asio::io_context& io, Endpoint endpoint)
    : io_(io),
      endpoint_(std::move(endpoint)),
      socket_(io),
      output_(socket_, *this, ErrorSource::upstream),
      body_(socket_, *this, ErrorSource::upstream),
      buffer_(8 * 1024) {
  asio::use_service<Watchdog>(io).watch_closely(*this);
}

void Connection::expire() {
  timed_out_ = output_.timed_out = body_.timed_out = true;
  close();
  if (idle) unlink();  // nobody waits on it: it must not keep the watchdog awake
}

void Connection::drain() {
  if (!idle) return;
  close();
  unlink();
}

void Connection::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

std::unexpected<Error> Connection::failure(ErrorKind kind, std::string what) const {
  return fail(kind, ErrorSource::upstream,
              fmt::format("{} ({}:{})", what, endpoint_.host, endpoint_.port), true);
}

Task<Result<void>> Connection::connect(std::chrono::milliseconds wait) {
  boost::system::error_code error;
  auto address = asio::ip::make_address(endpoint_.host, error);
  std::vector<asio::ip::tcp::endpoint> places{{address, endpoint_.port}};
  if (error) {
    Resolver resolver(io_);
    auto [resolve_error, found] =
        co_await resolver.async_resolve(endpoint_.host, std::to_string(endpoint_.port), use_result);
    if (resolve_error || found.empty()) {
      co_return failure(ErrorKind::unavailable, "cannot resolve the name");
    }
    places.assign(found.begin(), found.end());
  }
  SteadyTime until = steady_now() + wait;
  Result<void> connected;
  for (const auto& place : places) {
    arm_until(until);
    connected = co_await connect_to(place);
    disarm();
    if (connected || timed_out_) break;
  }
  co_return connected;
}

/// Has no deadline of its own. Without a descriptor left this is an error like any other.
Task<Result<void>> Connection::connect_to(asio::ip::tcp::endpoint at) {
  TcpSocket tcp(io_);
  boost::system::error_code error;
  tcp.open(at.protocol(), error);
  if (error) co_return failure(ErrorKind::unavailable, "cannot open a socket: " + error.message());
  tune(tcp);
  socket_ = Socket(std::move(tcp));
  asio::generic::stream_protocol::endpoint target(at);
  auto [connect_error] = co_await socket_.async_connect(target, use_result);
  if (timed_out_) co_return failure(ErrorKind::unavailable, "no connection within the deadline");
  if (connect_error) {
    co_return failure(ErrorKind::unavailable, "cannot connect: " + connect_error.message());
  }
  co_return Result<void>{};
}

Task<Result<void>> Connection::send(const ClientRequest& request) {
  silent_ = true;
  std::string head = head_text(request, endpoint_);
  iovec pieces[2] = {{head.data(), head.size()},
                     {const_cast<char*>(request.body.data()), request.body.size()}};
  co_return co_await output_.send(std::span(pieces, request.body.empty() ? 1 : 2), false);
}

Task<Result<std::size_t>> Connection::fill(SteadyTime until) {
  if (filled_ == buffer_.size()) buffer_.resize(2 * filled_);
  arm_until(until);
  auto [error, n] = co_await socket_.async_read_some(
      asio::buffer(buffer_.data() + filled_, buffer_.size() - filled_), use_result);
  disarm();
  filled_ += n;
  if (!error) co_return n;
  if (timed_out_) co_return failure(ErrorKind::timeout, "no answer within the deadline");
  co_return failure(ErrorKind::aborted, "the connection closed before its answer");
}

Task<Result<http::ResponseHead>> Connection::read_head(const ClientRequest& request,
                                                       std::chrono::milliseconds wait) {
  filled_ = taken_ = 0;
  std::size_t scanned = 0, interim_heads = 0;
  SteadyTime until = steady_now() + wait;
  while (true) {
    std::size_t n = http::head_length({buffer_.data() + taken_, filled_ - taken_}, scanned);
    if (n == 0) {
      if (filled_ - taken_ >= limits::head_bytes_max) {
        co_return failure(ErrorKind::invalid, "the answer's head is too large");
      }
      auto got = co_await fill(until);
      if (!got) co_return std::unexpected(got.error());
      silent_ = false;
      continue;
    }
    auto head = http::read_response_head({buffer_.data() + taken_, n}, request.method, fields_);
    if (!head) co_return failure(ErrorKind::invalid, std::string(head.error().reason));
    taken_ += n;
    scanned = 0;
    if (head->status < 200) {
      if (++interim_heads > limits::interim_heads_max || taken_ > limits::interim_bytes_max) {
        co_return failure(ErrorKind::invalid, "too many interim answers");
      }
      tell_interim(request, *head);
      continue;
    }
    framing_ = head->body;
    keep_alive_ = head->keep_alive;
    taken_ += body_.start(framing_, {buffer_.data() + taken_, filled_ - taken_});
    co_return http::ResponseHead{head->status, http::Headers(head->fields)};
  }
}

bool Connection::reusable() const {
  return keep_alive_ && body_.done() && body_.rest().empty() && taken_ == filled_ &&
         socket_.is_open() && !timed_out_;
}

bool Connection::alive() {
  if (!socket_.is_open()) return false;
  char byte;
  ssize_t n = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace relay::net
