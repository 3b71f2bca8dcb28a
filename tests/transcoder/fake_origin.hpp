// The origin's end of a transcoder's connection, for tests: keeps what is PUT and answers 204, or
// what the test wants.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/http/head.hpp"

namespace relay::transcoder {

struct Put {
  std::string target;
  std::string digest;  // Repr-Digest
  std::string body;
};

class FakeOrigin {
 public:
  /// The whole answer to a request; empty closes the connection.
  using Answerer = std::function<std::string(const Put&)>;

  explicit FakeOrigin(Answerer answerer = [](const Put&) { return no_content; })
      : answerer_(std::move(answerer)) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) abort();
    fd_ = ends[0];
    peer_ = ends[1];
    thread_ = std::thread([this] { serve(); });
  }
  ~FakeOrigin() { finish(); }

  /// The transcoder's end.
  int fd() const { return peer_; }
  /// Closes the transcoder's end and waits for what came before.
  void finish() {
    if (peer_ >= 0) shutdown(peer_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    if (peer_ >= 0) close(peer_);
    peer_ = -1;
  }
  std::vector<Put> puts() const {
    std::lock_guard lock(mutex_);
    return puts_;
  }
  std::vector<std::string> targets() const {
    std::lock_guard lock(mutex_);
    std::vector<std::string> targets;
    for (const Put& put : puts_) targets.push_back(put.target);
    return targets;
  }
  /// The newest body of that target; empty when it never came.
  std::string body(const std::string& target) const {
    std::lock_guard lock(mutex_);
    auto newest = std::ranges::find(puts_.rbegin(), puts_.rend(), target, &Put::target);
    return newest == puts_.rend() ? "" : newest->body;
  }

  static constexpr const char* no_content = "HTTP/1.1 204 No Content\r\n\r\n";
  static std::string refusal(const std::string& status, const std::string& body) {
    return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  }

 private:
  void serve() {
    while (read_one()) {
    }
    close(fd_);
  }

  bool more() {
    char bytes[64 * 1024];
    ssize_t n = recv(fd_, bytes, sizeof bytes, 0);
    if (n <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(n));
    return true;
  }

  bool read_one() {
    std::size_t scanned = 0, length;
    while ((length = http::head_length(buffer_, scanned)) == 0)
      if (!more()) return false;
    http::FieldStore store;
    auto head = http::read_request_head(std::string_view(buffer_).substr(0, length), store);
    if (!head || head->method != "PUT") return false;
    Put put{std::string(head->target),
            std::string(http::find(head->fields, "Repr-Digest").value_or("")), ""};
    std::size_t body_bytes = head->body.length;
    while (buffer_.size() < length + body_bytes)
      if (!more()) return false;
    put.body = buffer_.substr(length, body_bytes);
    buffer_.erase(0, length + body_bytes);
    std::string answer = answerer_(put);
    {
      std::lock_guard lock(mutex_);
      puts_.push_back(std::move(put));
    }
    if (answer.empty()) return false;
    return send(fd_, answer.data(), answer.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(answer.size());
  }

  Answerer answerer_;
  int fd_ = -1, peer_ = -1;
  std::string buffer_;
  mutable std::mutex mutex_;  // guards puts_
  std::vector<Put> puts_;
  std::thread thread_;
};

}  // namespace relay::transcoder
