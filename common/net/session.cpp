#include "common/net/session.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/base/check.hpp"
#include "common/base/limits.hpp"
#include "common/http/problem.hpp"

namespace relay::net {
namespace {

// How long and how much a peer may still send after we answered and want to close: closing with
// unread bytes would reset the connection and could destroy our answer on its way.
constexpr std::chrono::milliseconds linger_wait{2000};
constexpr std::uint64_t linger_bytes_max = 64ull << 20;

}  // namespace

void* Session::operator new(std::size_t bytes) {
  RELAY_CHECK(bytes <= BlockPool::block_bytes);
  return BlockPool::of_thread().take();
}

void Session::operator delete(void* session) {
  BlockPool::of_thread().give_back(session);
}

Session::Session(asio::io_context& io, Socket& socket, Watched& watched, Handler& handler,
                 const std::string& peer, std::chrono::milliseconds quiet_wait)
    : io_(io),
      socket_(socket),
      watched_(watched),
      handler_(handler),
      peer_(peer),
      quiet_wait_(quiet_wait),
      output_(socket, watched, ErrorSource::client),
      body_(socket, watched, ErrorSource::client) {
}

void Session::expire() {
  boost::system::error_code ignored;
  if (idle_) {
    quiet_ = true;
    socket_.cancel(ignored);
    return;
  }
  if (!draining_ && output_.keeps_pace()) return;
  output_.timed_out = body_.timed_out = true;
  if (!draining_ && body_.waits() && answer_ == Answer::none) {
    socket_.cancel(ignored);  // the handler answers whoever stopped in the midst of a body
  } else {
    socket_.close(ignored);
  }
}

void Session::drain() {
  draining_ = true;
  if (!idle_) return;
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

Task<SessionEnd> Session::run() {
  while (!draining_) {
    Reading read = co_await read_head();
    // Ten thousand viewers who think about what to watch next must not hold a session each.
    if (read == Reading::quiet) co_return SessionEnd::quiet;
    if (read == Reading::over) break;
    Exchange exchange(*this);
    co_await handler_.handle(exchange);
    if (!co_await end_exchange()) break;
  }
  boost::system::error_code ignored;
  socket_.close(ignored);
  co_return SessionEnd::closed;
}

Task<Session::Reading> Session::read_head() {
  idle_ = filled_ == 0;
  // For the whole head, not from byte to byte: a trickle must not hold a connection for ever.
  watched_.arm(idle_ ? quiet_wait_ : limits::header_wait);
  std::size_t length = 0;
  while ((length = http::head_length({buffer_.data(), filled_}, scanned_)) == 0) {
    if (filled_ >= limits::head_bytes_max) break;
    if (filled_ == buffer_.size())
      buffer_.grow(std::min(2 * filled_, limits::read_buffer_bytes), filled_);
    std::size_t n = read_first();
    if (n == 0) {
      auto [error, more] = co_await socket_.async_read_some(
          asio::buffer(buffer_.data() + filled_, buffer_.size() - filled_), use_result);
      if (error) co_return quiet_ && !draining_ ? Reading::quiet : Reading::over;
      n = more;
    }
    if (idle_) watched_.arm(limits::header_wait);
    idle_ = quiet_ = false;
    filled_ += n;
  }
  watched_.disarm();
  idle_ = false;
  if (length == 0 || length > limits::head_bytes_max) {
    co_await refuse({431, "the request head is larger than 32 KiB"});
    co_return Reading::over;
  }
  auto head = http::read_request_head({buffer_.data(), length}, buffer_.fields());
  if (!head) {
    co_await refuse(head.error());
    co_return Reading::over;
  }
  start_exchange(*head, length);
  co_return Reading::whole;
}

/// The bytes that woke the connection. Asio would hand them on only after another look at all its
/// sockets. 0: none after all, or the end, and the usual read tells which.
std::size_t Session::read_first() {
  if (!std::exchange(readable_, false)) return 0;
  ssize_t n = ::recv(socket_.native_handle(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  return static_cast<std::size_t>(std::max<ssize_t>(n, 0));
}

void Session::start_exchange(const http::RequestHead& head, std::size_t head_bytes) {
  request_ = head;
  keep_alive_ = head.keep_alive;
  std::string_view behind(buffer_.data() + head_bytes, filled_ - head_bytes);
  taken_ = head_bytes;
  if (head.body.kind != http::BodyKind::none) taken_ += body_.start(head.body, behind);
  auto expect = http::find(head.fields, "Expect");
  continue_wanted_ = !body_.done() && head.minor_version >= 1 && expect.has_value() &&
                     http::same_name(*expect, "100-continue");
  forget_answer();
}

void Session::forget_answer() {
  answer_ = Answer::none;
  status_ = 0;
  promised_ = body_sent_ = 0;
  out_.clear();
}

Task<void> Session::refuse(http::Refusal refusal) {
  http::Response response = http::problem(refusal.status, refusal.reason);
  keep_alive_ = false;
  request_ = {};
  forget_answer();  // of the request before this one
  handler_.refused(refusal, peer_);
  handler_.sign_refusal(response.headers);
  if (co_await respond(std::move(response))) co_await linger();
}

/// True when the connection can take the next request.
Task<bool> Session::end_exchange() {
  if (answer_ != Answer::complete) {
    reset_connection(socket_);
    co_return false;
  }
  bool body_skipped = body_.done() || (!continue_wanted_ && co_await skip_request_body());
  if (!body_skipped || !keep_alive_) {
    if (!body_skipped || !peer_has_ended()) co_await linger();
    co_return false;
  }
  next_request();
  co_return !draining_;
}

/// It said that no further request follows, and none did: nothing can come that would reset our
/// answer on its way.
bool Session::peer_has_ended() const {
  return !request_.keep_alive && taken_ == filled_ && body_.rest().empty();
}

/// What is left in the buffer, and what was read behind a chunked body, is the next request.
void Session::next_request() {
  std::string_view rest = body_.rest();
  if (taken_ < filled_) std::memmove(buffer_.data(), buffer_.data() + taken_, filled_ - taken_);
  filled_ -= taken_;
  taken_ = scanned_ = 0;
  if (filled_ == 0 && rest.empty()) buffer_.shrink();
  if (!rest.empty()) {
    if (buffer_.size() < filled_ + rest.size()) buffer_.grow(filled_ + rest.size(), filled_);
    std::memcpy(buffer_.data() + filled_, rest.data(), rest.size());
    filled_ += rest.size();
  }
  body_.start({}, {});
  request_ = {};
}

Task<bool> Session::skip_request_body() {
  if (!keep_alive_) co_return false;
  std::vector<char> sink(16 * 1024);
  std::uint64_t skipped = 0;
  while (!body_.done() && skipped <= limits::drain_body_bytes_max) {
    auto n = co_await read_body(sink);
    if (!n) co_return false;
    skipped += *n;
  }
  co_return body_.done();
}

Task<Result<std::size_t>> Session::read_body(std::span<char> into) {
  if (continue_wanted_ && !body_.done()) {
    continue_wanted_ = false;
    out_ += "HTTP/1.1 100 Continue\r\n\r\n";
    auto sent = co_await output_.send(out_);
    out_.clear();
    if (!sent) co_return std::unexpected(sent.error());
  }
  auto n = co_await body_.read(into, limits::body_stall);
  if (!n) keep_alive_ = false;
  co_return n;
}

Task<void> Session::linger() {
  boost::system::error_code error;
  socket_.shutdown(Socket::shutdown_send, error);
  std::vector<char> sink(16 * 1024);
  std::uint64_t taken = 0;
  watched_.arm(linger_wait);  // in all, not from byte to byte
  while (!error && taken < linger_bytes_max) {
    auto [read_error, n] = co_await socket_.async_read_some(asio::buffer(sink), use_result);
    error = read_error;
    taken += n;
  }
  watched_.disarm();
}

}  // namespace relay::net
