// One job while its process runs: what the watchdog and the end need to know. Lives on the
// supervisor's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "common/base/clock.hpp"
#include "common/net/timer.hpp"
#include "origin/jobs/desk.hpp"
#include "origin/jobs/job_settings.hpp"
#include "origin/jobs/process.hpp"
#include "origin/jobs/queue.hpp"

namespace relay::origin::jobs {

using net::Timer;

class Running final : public Observer, public std::enable_shared_from_this<Running> {
 public:
  Running(net::asio::io_context& io, Waiting what);

  void on_sign_of_life() override { last_sign_ = steady_now(); }
  void on_result(const media::JobResult& result) override { result_ = result; }
  void on_published() override;

  /// The process runs from now on: deadline and stall count.
  void watch(Process& process, const JobSettings& settings);
  /// The process has ended: no more watching.
  void unwatch();
  /// Ends the process, now or as soon as it has started.
  void drop();
  /// Ends the process's turn: the try goes on later, behind what is published.
  void give_way();
  bool dropped() const { return dropped_; }
  KillReason killed() const { return killed_; }
  const std::optional<media::JobResult>& result() const { return result_; }
  /// In this turn.
  std::chrono::milliseconds worked() const;

  /// Serves the process's connection and waits until it is closed.
  void serve(int connection, std::unique_ptr<net::Handler> handler);
  net::Task<void> connection_closed();

  Waiting waiting;
  /// Called after each playlist that was taken while the process runs: a good moment to give way.
  std::function<void()> after_publication;

 private:
  void tick();
  std::optional<KillReason> overdue() const;

  net::asio::io_context& io_;
  Process* process_ = nullptr;  // while it runs
  std::chrono::milliseconds deadline_{};
  std::chrono::milliseconds stall_{};
  SteadyTime started_{};
  SteadyTime last_sign_{};
  Timer ticker_;
  Timer closing_;  // never expires: cancelled when the connection has closed
  bool closed_ = true;
  bool dropped_ = false;
  KillReason killed_ = KillReason::none;
  std::optional<media::JobResult> result_;
  std::unique_ptr<net::Handler> handler_;
};

}  // namespace relay::origin::jobs
