// The transcoder process of one channel: started while it is wanted, fed from the channel's line,
// watched, and started again when it crashes or hangs. All on the thread of `io`.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "common/base/clock.hpp"
#include "common/net/blocking.hpp"
#include "common/net/broadcast.hpp"
#include "common/net/handler.hpp"
#include "common/net/timer.hpp"
#include "origin/jobs/job_settings.hpp"
#include "origin/live/feed.hpp"

namespace relay::origin::live {

/// Without a sign of life for so long it is killed: twice as long as from status to status, so that
/// with its next start it costs two segments of 3 s at most. Before its first part it may take
/// longer.
inline constexpr std::chrono::milliseconds sign_wait = std::chrono::seconds{2};
inline constexpr std::chrono::milliseconds first_sign_wait = std::chrono::seconds{15};
/// From the end of its feed to its own.
inline constexpr std::chrono::milliseconds finish_wait = std::chrono::seconds{5};
/// Between starts: doubles while it ends at once, up to the most.
inline constexpr std::chrono::milliseconds restart_pause = std::chrono::milliseconds{100};
inline constexpr std::chrono::milliseconds restart_pause_max = std::chrono::seconds{5};

class Transcoder : public std::enable_shared_from_this<Transcoder> {
 public:
  /// What it is to do, asked at each start; its handler gets the transcoder to report to.
  struct Work {
    std::function<Result<std::string>()> job;  // JSON; after an error: asked again later
    std::function<std::unique_ptr<net::Handler>()> handler;
    std::function<void()> changed;  // it started or ended
    std::string name;               // for the log
  };

  /// `io` and `blocking` outlive it.
  Transcoder(net::asio::io_context& io, net::Blocking& blocking, const jobs::JobSettings& settings,
             std::shared_ptr<FeedLine> line, Work work);
  void start();

  /// Whether there is something to transcode.
  void want(bool wanted);
  /// No more of it, and its work is let go.
  void stop();
  void on_sign_of_life() { last_sign_ = steady_now(); }
  /// While there is one, the transcoder waits for our answer to a part; a sign of life at its end.
  class Answering {
   public:
    explicit Answering(std::shared_ptr<Transcoder> to) : to_(std::move(to)) { ++to_->answering_; }
    Answering(const Answering&) = delete;
    ~Answering() {
      --to_->answering_;
      to_->has_made_ = true;
      to_->on_sign_of_life();
    }

   private:
    const std::shared_ptr<Transcoder> to_;
  };

  bool is_running() const { return pid_ > 0; }
  int pid() const { return pid_; }
  int restarts() const { return restarts_; }  // after a crash or hang
  /// Why there is none though it is wanted, or why the last one ended; empty: nothing is wrong.
  const std::string& trouble() const { return trouble_; }
  WallTime trouble_at() const { return trouble_at_; }  // when that was found
  net::Task<void> ended();

 private:
  struct Run;
  using Self = std::shared_ptr<Transcoder>;
  static net::Task<void> live(Self self);
  static net::Task<bool> run_once(Self self);
  static net::Task<void> feed(Self self, std::shared_ptr<Run> run);
  static net::Task<void> watch(Self self, std::shared_ptr<Run> run);
  net::Task<void> pause(std::chrono::milliseconds length);
  void note_end(Run& run);
  void note_trouble(std::string why);

  net::asio::io_context& io_;
  net::Blocking& blocking_;
  const jobs::JobSettings settings_;
  const std::shared_ptr<FeedLine> line_;
  Work work_;
  net::Broadcast woken_;
  net::Timer pause_;
  bool wanted_ = false, stopped_ = false, over_ = false;
  bool has_made_ = false;  // a part
  int answering_ = 0;
  SteadyTime last_sign_{};
  int pid_ = -1;
  int restarts_ = 0;
  std::chrono::milliseconds next_pause_ = restart_pause;
  std::string trouble_;
  WallTime trouble_at_{};
};

}  // namespace relay::origin::live
