#include "transcoder/connection.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/base/limits.hpp"
#include "common/http/head.hpp"
#include "common/http/repr_digest.hpp"

namespace relay::transcoder {
namespace {

constexpr std::size_t answer_body_bytes_max = 4096;

std::unexpected<Error> socket_error(int errno_value) {
  bool late = errno_value == EAGAIN || errno_value == EWOULDBLOCK;
  return fail(
      late ? ErrorKind::timeout : ErrorKind::aborted, ErrorSource::upstream,
      late ? "the origin does not answer"
           : fmt::format("the connection to the origin broke: {}", std::strerror(errno_value)),
      true);
}

std::unexpected<Error> origin_error(std::string why) {
  return fail(ErrorKind::invalid, ErrorSource::upstream, "the origin's answer: " + std::move(why));
}

}  // namespace

Connection::Connection(int fd, std::chrono::milliseconds stall) : fd_(fd) {
  timeval wait{stall.count() / 1000, stall.count() % 1000 * 1000};
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
}

Result<void> Connection::send_put(std::string_view target, std::string_view content_type,
                                  std::string_view fields, std::string_view body,
                                  const Digest128& digest) {
  return send(
      fmt::format("PUT {} HTTP/1.1\r\nHost: origin\r\nContent-Type: {}\r\n"
                  "Content-Length: {}\r\nRepr-Digest: {}\r\n{}\r\n",
                  target, content_type, body.size(), http::write_repr_digest(digest), fields),
      body);
}

Result<void> Connection::send(std::string_view head, std::string_view body) {
  std::size_t sent = 0, whole = head.size() + body.size();
  while (sent < whole) {
    std::size_t of_head = std::min(sent, head.size());
    std::size_t of_body = sent - of_head;
    iovec pieces[2] = {{const_cast<char*>(head.data()) + of_head, head.size() - of_head},
                       {const_cast<char*>(body.data()) + of_body, body.size() - of_body}};
    msghdr message{};
    message.msg_iov = pieces;
    message.msg_iovlen = 2;
    ssize_t n = sendmsg(fd_, &message, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return socket_error(errno);
    sent += static_cast<std::size_t>(n);
  }
  return {};
}

Result<void> Connection::receive() {
  char bytes[16 * 1024];
  ssize_t n;
  do n = recv(fd_, bytes, sizeof bytes, 0);
  while (n < 0 && errno == EINTR);
  if (n < 0) return socket_error(errno);
  if (n == 0)
    return fail(ErrorKind::aborted, ErrorSource::upstream, "the origin closed the connection",
                true);
  buffer_.append(bytes, static_cast<std::size_t>(n));
  return {};
}

Result<Answer> Connection::read_answer() {
  for (;;) {
    std::size_t scanned = 0, head_bytes;
    while ((head_bytes = http::head_length(buffer_, scanned)) == 0) {
      if (buffer_.size() > limits::head_bytes_max) return origin_error("its head is too long");
      if (auto more = receive(); !more) return std::unexpected(more.error());
    }
    http::FieldStore store;
    auto head =
        http::read_response_head(std::string_view(buffer_).substr(0, head_bytes), "PUT", store);
    if (!head) return origin_error(std::string(head.error().reason));
    auto framing = head->body;
    Answer answer{head->status, {}};
    buffer_.erase(0, head_bytes);
    if (answer.status < 200) continue;
    if (framing.kind == http::BodyKind::none) return answer;
    if (framing.kind != http::BodyKind::length) return origin_error("its body has no length");
    if (auto body = read_body(framing.length, answer.body); !body)
      return std::unexpected(body.error());
    return answer;
  }
}

Result<void> Connection::read_body(std::uint64_t length, std::string& into) {
  while (length > 0) {
    if (buffer_.empty())
      if (auto more = receive(); !more) return more;
    std::size_t taken = std::min<std::uint64_t>(length, buffer_.size());
    into.append(buffer_, 0, std::min(taken, answer_body_bytes_max - into.size()));
    buffer_.erase(0, taken);
    length -= taken;
  }
  return {};
}

}  // namespace relay::transcoder
