#include "edge/access_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

namespace relay::edge {
namespace {

constexpr std::size_t buffer_bytes_max = 32 * 1024;

/// A value that holds a quote or a backslash is escaped; control bytes never pass the gate.
void append_quoted(std::string& line, std::string_view text) {
  line += '"';
  for (char c : text) {
    if (c == '"' || c == '\\') line += '\\';
    line += c;
  }
  line += '"';
}

}  // namespace

Result<AccessLog> AccessLog::open(const std::string& destination) {
  AccessLog log;
  if (destination == "-") log.fd_ = STDOUT_FILENO;
  if (destination.empty() || destination == "-") return log;
  store::UniqueFd fd(::open(destination.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!fd) return std::unexpected(disk_error("cannot open the access log " + destination, errno));
  log.fd_ = fd.get();
  log.owned_ = std::move(fd);
  return log;
}

void AccessLog::write(std::string_view lines) const {
  while (!lines.empty()) {
    ssize_t n = ::write(fd_, lines.data(), lines.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // a full disk must not stop the serving
    lines.remove_prefix(static_cast<std::size_t>(n));
  }
}

void AccessLogBuffer::add(const Visit& visit, SteadyTime ended) {
  if (!log_.enabled()) return;
  auto took = std::chrono::duration_cast<std::chrono::microseconds>(ended - visit.begun).count();
  fmt::format_to(std::back_inserter(lines_),
                 "time={} peer={} method={} status={} outcome={} bytes={} ms={}.{:03} target=",
                 visit.now.time_since_epoch().count(), visit.exchange.peer(), visit.request.method,
                 visit.exchange.status(), name(visit.outcome), visit.exchange.body_bytes_sent(),
                 took / 1000, took % 1000);
  append_quoted(lines_, visit.request.target);
  if (!visit.exchange.complete()) lines_ += " incomplete=true";
  if (!visit.detail.empty()) {
    lines_ += " detail=";
    append_quoted(lines_, visit.detail);
  }
  end_line();
}

void AccessLogBuffer::add_refused(int status, std::string_view reason, const std::string& peer) {
  if (!log_.enabled()) return;
  fmt::format_to(std::back_inserter(lines_), "time={} peer={} status={} outcome={} detail=",
                 wall_now().time_since_epoch().count(), peer, status, name(Outcome::refused));
  append_quoted(lines_, reason);
  end_line();
}

void AccessLogBuffer::end_line() {
  lines_ += '\n';
  if (lines_.size() > buffer_bytes_max) flush();
}

void AccessLogBuffer::flush() {
  if (lines_.empty()) return;
  log_.write(lines_);
  lines_.clear();
}

}  // namespace relay::edge
