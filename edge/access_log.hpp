// One line a request, key=value, exactly one (DESIGN invariant 7). Lines gather in a buffer a
// worker thread and are written when it is full or a second old.
#pragma once

#include <string>
#include <string_view>

#include "common/base/error.hpp"
#include "common/store/file.hpp"
#include "edge/visit.hpp"

namespace relay::edge {

/// Where the lines go: nowhere, standard output, or a file that is appended to. Thread-safe;
/// outlives its buffers.
class AccessLog {
 public:
  /// `destination` is the setting: "" none, "-" standard output, else a file.
  static Result<AccessLog> open(const std::string& destination);
  bool enabled() const { return fd_ >= 0; }
  void write(std::string_view lines) const;

 private:
  store::UniqueFd owned_;
  int fd_ = -1;
};

/// A worker's share. One thread.
class AccessLogBuffer {
 public:
  explicit AccessLogBuffer(const AccessLog& log) : log_(log) {}
  ~AccessLogBuffer() { flush(); }
  void add(const Visit& visit, SteadyTime ended);
  void add_refused(int status, std::string_view reason, const std::string& peer);
  void flush();

 private:
  void end_line();
  const AccessLog& log_;
  std::string lines_;
};

}  // namespace relay::edge
