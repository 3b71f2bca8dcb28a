// The answer, as the handler gives it.
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>

#include "common/base/check.hpp"
#include "common/base/limits.hpp"
#include "common/net/date_text.hpp"
#include "common/net/session.hpp"

namespace relay::net {
namespace {

// Measured with bodies of 64 KB, 1 MB and 4 MB (bench/compare).
constexpr std::uint64_t large_piece_bytes = 512 * 1024;

void append_number(std::string& text, std::uint64_t number) {
  char digits[20];
  auto [end, ec] = std::to_chars(digits, digits + sizeof digits, number);
  text.append(digits, end);
}

void append_status_line(std::string& text, int status) {
  text += "HTTP/1.1 ";
  append_number(text, static_cast<std::uint64_t>(status));
  text += ' ';
  text += http::reason_phrase(status);
  text += "\r\n";
}

bool bodyless(int status) {
  return status == 204 || status == 304 || status < 200;
}

}  // namespace

void Session::append_connection() {
  keep_alive_ = keep_alive_ && !draining_;
  if (!keep_alive_) {
    out_ += "Connection: close\r\n";
  } else if (request_.minor_version == 0) {
    out_ += "Connection: keep-alive\r\n";
  }
  out_ += "\r\n";
}

/// A failed write leaves the answer broken for good.
Result<void> Session::track(Result<void> sent) {
  if (!sent) answer_ = Answer::broken;
  return sent;
}

void Session::settle() {
  if (answer_ == Answer::sized && promised_ == 0) answer_ = Answer::complete;
}

Task<Result<void>> Session::send_head(std::string_view body, bool more) {
  iovec pieces[2] = {{out_.data(), out_.size()}, {const_cast<char*>(body.data()), body.size()}};
  auto sent = co_await output_.send(std::span(pieces, body.empty() ? 1 : 2), more);
  if (sent) body_sent_ += body.size();
  co_return track(std::move(sent));
}

void Session::inform(const http::ResponseHead& interim) {
  if (answer_ != Answer::none || request_.minor_version == 0) return;
  if (out_.size() >= limits::interim_bytes_max) return;  // of a peer that takes nothing
  append_status_line(out_, interim.status);
  interim.headers.append_to(out_);
  out_ += "\r\n";
  out_.erase(0, output_.send_now(out_));
}

Task<Result<void>> Session::respond(http::Response response) {
  RELAY_CHECK(answer_ == Answer::none);
  status_ = response.status;
  append_status_line(out_, status_);
  if (!response.headers.find("Date")) response.headers.add("Date", date_text());
  response.headers.append_to(out_);
  if (!bodyless(status_)) {
    out_ += "Content-Length: ";
    append_number(out_, response.body.size());
    out_ += "\r\n";
  }
  append_connection();
  answer_ = Answer::complete;
  bool with_body = !bodyless(status_) && !head_only();
  co_return co_await send_head(with_body ? std::string_view(response.body) : std::string_view{},
                               false);
}

Task<Result<void>> Session::begin(http::ResponseHead head, std::optional<std::uint64_t> length) {
  RELAY_CHECK(answer_ == Answer::none);
  status_ = head.status;
  append_status_line(out_, status_);
  if (!head.headers.find("Date")) head.headers.add("Date", date_text());
  head.headers.append_to(out_);
  bool empty = bodyless(status_) || head_only();
  if (length && !bodyless(status_)) {
    out_ += "Content-Length: ";
    append_number(out_, *length);
    out_ += "\r\n";
  }
  promised_ = empty ? 0 : length.value_or(0);
  if (empty || length) {
    answer_ = Answer::sized;
  } else if (request_.minor_version >= 1) {
    answer_ = Answer::chunked;
    out_ += "Transfer-Encoding: chunked\r\n";
  } else {
    answer_ = Answer::until_close;
    keep_alive_ = false;
  }
  append_connection();
  settle();
  co_return co_await send_head({}, promised_ > 0);
}

Task<Result<void>> Session::begin_raw(std::string head_text, int status, std::uint64_t length,
                                      std::string_view first_body) {
  RELAY_CHECK(answer_ == Answer::none);
  status_ = status;
  if (out_.empty()) {
    out_ = std::move(head_text);
  } else {
    out_ += head_text;
  }
  append_connection();
  answer_ = Answer::sized;
  promised_ = head_only() || bodyless(status) ? 0 : length;
  if (promised_ == 0) first_body = {};
  RELAY_CHECK(first_body.size() <= promised_);
  promised_ -= first_body.size();
  settle();
  // Before a large body the head is not held back: a first segment that is small lets the
  // receiver's window open, and costs less than the stalls of a closed one.
  co_return co_await send_head(first_body, promised_ > 0 && promised_ < large_piece_bytes);
}

Task<Result<void>> Session::write(std::string_view bytes) {
  if (head_only() || bytes.empty()) co_return Result<void>{};
  if (answer_ == Answer::broken) {
    co_return fail(ErrorKind::aborted, ErrorSource::client, "the connection is gone");
  }
  if (answer_ == Answer::chunked) {
    char size_line[24];
    auto end = std::to_chars(size_line, size_line + 16, bytes.size(), 16).ptr;
    *end++ = '\r';
    *end++ = '\n';
    iovec pieces[3] = {{size_line, static_cast<std::size_t>(end - size_line)},
                       {const_cast<char*>(bytes.data()), bytes.size()},
                       {const_cast<char*>("\r\n"), 2}};
    auto sent = co_await output_.send(pieces, false);
    if (sent) body_sent_ += bytes.size();
    co_return track(std::move(sent));
  }
  if (answer_ == Answer::sized) {
    RELAY_CHECK(bytes.size() <= promised_);
    promised_ -= bytes.size();
  }
  auto sent = co_await output_.send(bytes);
  if (sent) body_sent_ += bytes.size();
  if (promised_ == 0 && corked_) cork(false);
  settle();
  co_return track(std::move(sent));
}

Task<Result<void>> Session::write_files(std::span<const FilePiece> pieces) {
  std::uint64_t length = 0;
  for (const FilePiece& piece : pieces) length += piece.length;
  if (head_only() || length == 0) co_return Result<void>{};
  RELAY_CHECK(answer_ == Answer::sized && length <= promised_);
  promised_ -= length;
  bool in_pieces = promised_ > 0 || pieces.size() > 1;
  if (in_pieces && !corked_ && pieces.front().length < large_piece_bytes) cork(true);
  auto sent = co_await output_.send_files(pieces);
  if (sent) body_sent_ += length;
  if (promised_ == 0 && corked_) cork(false);
  settle();
  co_return track(std::move(sent));
}

/// A body that is sent in several pieces would end each with a short packet; corked, only the last
/// one is short. (sendfile knows no MSG_MORE.) With large pieces that is not worth it.
void Session::cork(bool on) {
  int value = on;
  ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_CORK, &value, sizeof value);
  corked_ = on;
}

Task<Result<void>> Session::finish() {
  if (answer_ == Answer::chunked) {
    auto sent = co_await output_.send("0\r\n\r\n");
    if (sent) answer_ = Answer::complete;
    co_return track(std::move(sent));
  }
  if (answer_ == Answer::until_close) answer_ = Answer::complete;
  co_return Result<void>{};
}

}  // namespace relay::net
