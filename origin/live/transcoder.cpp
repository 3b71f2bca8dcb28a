#include "origin/live/transcoder.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "common/base/log.hpp"
#include "common/net/server.hpp"
#include "origin/jobs/process.hpp"
#include "origin/live/silence.hpp"

namespace relay::origin::live {

namespace asio = net::asio;
using std::chrono::milliseconds;

namespace {

constexpr std::size_t feed_write_bytes = 256 * 1024;
constexpr milliseconds watch_interval{250};
constexpr milliseconds steady_life{10000};  // one that lived so long is started again at once

using FeedSocket = asio::basic_stream_socket<asio::local::stream_protocol, net::Executor>;

struct SocketPair {
  store::UniqueFd ours, theirs;
};

Result<SocketPair> socket_pair() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return std::unexpected(disk_error("socketpair", errno));
  return SocketPair{store::UniqueFd(ends[0]), store::UniqueFd(ends[1])};
}

}  // namespace

/// One process from its start to its end.
struct Transcoder::Run {
  Run(asio::io_context& io, int fd, jobs::Process started)
      : process(std::move(started)), socket(io.get_executor()), closing(io.get_executor()) {
    socket.assign(asio::local::stream_protocol(), fd);
    closing.expires_at(SteadyTime::max());
  }
  jobs::Process process;
  FeedSocket socket;   // our end of descriptor 3
  net::Timer closing;  // cancelled when its connection has closed
  std::unique_ptr<net::Handler> handler;
  SteadyTime begun = steady_now();
  SteadyTime feed_ended = SteadyTime::max();
  bool closed = false;  // its connection
  bool over = false;    // the process
  bool killed = false;
  std::string why;
};

Transcoder::Transcoder(asio::io_context& io, net::Blocking& blocking,
                       const jobs::JobSettings& settings, std::shared_ptr<FeedLine> line, Work work)
    : io_(io),
      blocking_(blocking),
      settings_(settings),
      line_(std::move(line)),
      work_(std::move(work)),
      pause_(io.get_executor()) {
}

void Transcoder::start() {
  net::spawn(io_, live(shared_from_this()));
}

void Transcoder::want(bool wanted) {
  if (stopped_ || std::exchange(wanted_, wanted) == wanted) return;
  woken_.notify();
  line_->filled().notify();
  if (wanted) pause_.cancel();
}

void Transcoder::stop() {
  stopped_ = true;
  wanted_ = false;
  pause_.cancel();
  woken_.notify();
  line_->filled().notify();
}

net::Task<void> Transcoder::ended() {
  while (!over_) {
    std::uint64_t seen = woken_.version();
    if (!over_) co_await woken_.wait(seen);
  }
}

net::Task<void> Transcoder::live(Self self) {
  while (!self->stopped_) {
    std::uint64_t seen = self->woken_.version();
    if (!self->wanted_) {
      co_await self->woken_.wait(seen);
      continue;
    }
    bool well = co_await run_once(self);
    self->work_.changed();
    if (well || self->stopped_) continue;
    ++self->restarts_;
    co_await self->pause(self->next_pause_);
    self->next_pause_ = std::min(2 * self->next_pause_, restart_pause_max);
  }
  self->over_ = true;
  self->work_ = {};
  self->woken_.notify();
}

net::Task<void> Transcoder::pause(milliseconds length) {
  pause_.expires_after(length);
  co_await pause_.async_wait(net::use_result);
}

// True: it ended because it was to.
net::Task<bool> Transcoder::run_once(Self self) {
  auto job = self->work_.job();
  auto pair = socket_pair();
  if (!job || !pair) {
    self->note_trouble(job ? pair.error().message : job.error().message);
    co_return false;
  }
  jobs::ProcessOptions options{.program = self->settings_.transcoder,
                               .config = self->settings_.transcoder_config,
                               .job = std::move(*job),
                               .source = pair->theirs.get(),
                               .memory_max = self->settings_.memory_max,
                               .nice_steps = 0};
  auto start = [&] { return jobs::Process::start(options); };
  auto process = co_await net::run_blocking(self->blocking_, start);
  pair->theirs.reset();
  if (!process) {
    log::error("transcoder of a channel cannot be started",
               {log::kv("channel", self->work_.name), log::kv("why", process.error().message)});
    self->note_trouble("the service cannot start its transcoder; it tries again by itself");
    co_return false;
  }
  auto run = std::make_shared<Run>(self->io_, pair->ours.release(), std::move(*process));
  self->pid_ = run->process.pid();
  self->has_made_ = false;
  self->last_sign_ = steady_now();
  log::info("transcoder of a channel started",
            {log::kv("channel", self->work_.name), log::kv("pid", self->pid_)});
  run->handler = self->work_.handler();
  net::serve_connected(self->io_, run->process.take_connection(), *run->handler, [run] {
    run->closed = true;
    run->closing.cancel();
  });
  self->line_->attach();
  self->work_.changed();
  net::spawn(self->io_, feed(self, run));
  net::spawn(self->io_, watch(self, run));
  asio::posix::basic_stream_descriptor<net::Executor> ended(self->io_.get_executor(),
                                                            run->process.pidfd());
  co_await ended.async_wait(asio::posix::descriptor_base::wait_read, net::use_result);
  ended.release();
  run->over = true;
  self->line_->detach();
  self->line_->filled().notify();
  boost::system::error_code ignored;
  run->socket.close(ignored);
  while (!run->closed) co_await run->closing.async_wait(net::use_result);
  self->note_end(*run);
  co_return run->why.empty();
}

void Transcoder::note_trouble(std::string why) {
  trouble_ = std::move(why);
  trouble_at_ = wall_now();
}

void Transcoder::note_end(Run& run) {
  jobs::Process::End how = run.process.reap();
  pid_ = -1;
  if (steady_now() - run.begun >= steady_life) next_pause_ = restart_pause;
  if (!run.killed && (how.signal != 0 || how.exit_code != 0))
    run.why = how.signal != 0 ? fmt::format("it was ended by signal {}", how.signal)
                              : fmt::format("it ended with {}", how.exit_code);
  bool was_told = run.feed_ended != SteadyTime::max();
  if (!run.killed && run.why.empty() && !was_told) run.why = "it ended by itself";
  note_trouble(run.why.empty() ? "" : "the transcoder was started again: " + run.why);
  log::info(
      "transcoder of a channel ended",
      {log::kv("channel", work_.name), log::kv("exit_code", how.exit_code),
       log::kv("signal", how.signal), log::kv("why", run.why), log::kv("cpu_ms", how.cpu.count()),
       log::kv("memory_peak_mib", how.memory_peak >> 20)});
}

net::Task<void> Transcoder::feed(Self self, std::shared_ptr<Run> run) {
  net::Broadcast& filled = self->line_->filled();
  std::string bytes;
  while (!run->over) {
    std::uint64_t seen = filled.version();
    bytes = self->line_->take(feed_write_bytes);
    if (bytes.empty() && !self->wanted_) break;
    if (bytes.empty()) {
      co_await filled.wait(seen);
      continue;
    }
    auto [ec, n] = co_await asio::async_write(run->socket, asio::buffer(bytes), net::use_result);
    if (ec) co_return;  // its end is near, or came
  }
  boost::system::error_code ignored;
  run->socket.close(ignored);
  run->feed_ended = steady_now();
}

net::Task<void> Transcoder::watch(Self self, std::shared_ptr<Run> run) {
  net::Timer timer(self->io_.get_executor());
  Silence silence(steady_now());
  while (!run->over && !run->killed) {
    timer.expires_after(watch_interval);
    co_await timer.async_wait(net::use_result);
    SteadyTime now = steady_now();
    milliseconds silent = silence.at(now, self->last_sign_, self->answering_ > 0);
    bool is_silent = silent > (self->has_made_ ? sign_wait : first_sign_wait);
    bool is_late = run->feed_ended != SteadyTime::max() && now - run->feed_ended > finish_wait;
    if (run->over || !(is_silent || is_late)) continue;
    run->killed = true;
    run->why = is_late ? "it did not end" : "it gave no sign of life";
    run->process.kill();
  }
}

}  // namespace relay::origin::live
