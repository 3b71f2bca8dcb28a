// One transcoder process: started with exactly the descriptors of common/media/job.hpp, and reaped
// without a race by its pidfd. The only place here that sees processes.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "common/base/error.hpp"
#include "common/store/file.hpp"

namespace relay::origin::jobs {

struct ProcessOptions {
  std::string program;
  std::string config;            // after --config; empty: none
  std::string job;               // JSON, descriptor 0
  std::string source_path;       // descriptor 3, opened for reading
  int source = -1;               // instead of a path: an open descriptor of the caller's
  std::uint64_t memory_max = 0;  // bytes of private memory
  int nice_steps = 5;            // below our own priority
};

/// A child that was not waited for. Destroyed while it runs: killed and reaped.
class Process {
 public:
  /// Opens the source and starts the program. Errors: not_found (the source), internal (the program
  /// cannot be started). Blocks for the start.
  static Result<Process> start(const ProcessOptions& options);
  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;
  ~Process();

  int pid() const { return pid_; }
  /// Becomes readable when the process has ended.
  int pidfd() const { return pidfd_.get(); }
  /// Our end of the connection; the caller closes it.
  int take_connection() { return connection_.release(); }
  void kill();

  struct End {
    int exit_code = 0;
    int signal = 0;
    std::chrono::milliseconds cpu{};
    std::uint64_t memory_peak = 0;  // bytes resident
  };
  /// Waits for the end; at once when pidfd() is readable.
  End reap();

 private:
  Process(int pid, store::UniqueFd pidfd, store::UniqueFd connection);
  int pid_ = -1;
  store::UniqueFd pidfd_;
  store::UniqueFd connection_;
};

}  // namespace relay::origin::jobs
