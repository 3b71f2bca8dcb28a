#include "origin/jobs/supervisor.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <list>
#include <utility>

#include "common/base/log.hpp"
#include "origin/jobs/process.hpp"
#include "origin/jobs/queue.hpp"
#include "origin/jobs/running.hpp"
#include "origin/jobs/try.hpp"

namespace relay::origin::jobs {

namespace asio = net::asio;

namespace {

// What a broadcaster reads: no path and no errno, which are for the operator's log.
constexpr std::string_view outage_stage =
    "waiting: the service cannot start its transcoder; it tries again by itself";

// Below the origin's own work; photos below videos, so that a heap of them does not take the first
// segment of a video its time.
int nice_steps_of(media::JobKind kind) {
  return kind == media::JobKind::photo ? 10 : 5;
}

// Some seconds of pictures each.
constexpr std::int64_t edges_concurrent_max = 1;

}  // namespace

struct Supervisor::Impl : std::enable_shared_from_this<Impl> {
  using Runner = std::shared_ptr<Running>;

  asio::io_context& io;
  Desk& desk;
  net::Blocking& blocking;
  const JobSettings settings;
  Queue queue;
  std::list<Runner> running;
  Timer pause_end;  // of the retry that comes next
  bool stopping = false;
  Gauge& waiting_now;
  Gauge& running_now;
  Counter& tries;
  Counter& turns;
  Counter& crashes;
  Counter& outages;
  Counter& settled;

  Impl(asio::io_context& on, Desk& into, net::Blocking& pool, Metrics& metrics, JobSettings with)
      : io(on),
        desk(into),
        blocking(pool),
        settings(std::move(with)),
        pause_end(on.get_executor()),
        waiting_now(metrics.gauge("origin_jobs_waiting", "Jobs that wait for their turn.")),
        running_now(metrics.gauge("origin_jobs_running", "Jobs with a transcoder process.")),
        tries(metrics.counter("origin_job_tries_total", "Tries begun.")),
        turns(metrics.counter("origin_job_turns_total", "Jobs that made room for others.")),
        crashes(metrics.counter("origin_job_crashes_total", "Tries that ended without a result.")),
        outages(metrics.counter("origin_job_outages_total",
                                "Tries for which the transcoder could not be started.")),
        settled(metrics.counter("origin_jobs_settled_total", "Jobs that came to their end.")) {}

  void submit(media::Job job);
  void cancel(const std::string& tenant, const std::string& asset, const std::string& version);
  void stop();

  void enqueue(Waiting waiting);
  void pump();
  void start_lane(media::JobKind kind, std::int64_t concurrent_max);
  void wait_for_pause();
  bool is_running(const media::Job& job) const;
  std::int64_t running_in(media::JobKind kind) const;
  void consider_turn(Running& runner);
  void finished(const Runner& runner);

  // Static and owning their Impl: they outlive any call that started them.
  static net::Task<void> run(std::shared_ptr<Impl> self, Runner runner);
  static net::Task<TryEnd> try_once(std::shared_ptr<Impl> self, Runner runner);
  static net::Task<bool> begin(std::shared_ptr<Impl> self, Runner runner, TryEnd& end);
  static net::Task<void> follow(std::shared_ptr<Impl> self, Runner runner, Process process,
                                TryEnd& end);
  static net::Task<void> conclude(std::shared_ptr<Impl> self, Runner runner, TryEnd end);
  static net::Task<void> wait_for_transcoder(std::shared_ptr<Impl> self, Runner runner,
                                             std::string outage, std::chrono::milliseconds pause);
  static net::Task<bool> settle(std::shared_ptr<Impl> self, media::Job job,
                                media::JobResult result);
  void again(const Runner& runner, std::chrono::milliseconds pause);
  void make_room(const Runner& runner);
};

void Supervisor::Impl::submit(media::Job job) {
  if (stopping || is_running(job)) return;
  enqueue({std::move(job), {}, {}, {}});
  pump();
}

void Supervisor::Impl::enqueue(Waiting waiting) {
  queue.add(std::move(waiting), steady_now());
  waiting_now.set(static_cast<std::int64_t>(queue.size()));
}

void Supervisor::Impl::cancel(const std::string& tenant, const std::string& asset,
                              const std::string& version) {
  queue.remove(tenant, asset, version);
  waiting_now.set(static_cast<std::int64_t>(queue.size()));
  for (const Runner& runner : running)
    if (is_job_of(runner->waiting.job, tenant, asset, version)) runner->drop();
}

void Supervisor::Impl::stop() {
  stopping = true;
  queue.clear();
  pause_end.cancel();
  for (const Runner& runner : running) runner->drop();
}

bool Supervisor::Impl::is_running(const media::Job& job) const {
  return std::ranges::any_of(running, [&](const Runner& runner) {
    return same_job(runner->waiting.job, job) && !runner->dropped();
  });
}

std::int64_t Supervisor::Impl::running_in(media::JobKind kind) const {
  return std::ranges::count_if(
      running, [&](const Runner& runner) { return runner->waiting.job.kind == kind; });
}

void Supervisor::Impl::pump() {
  if (stopping) return;
  start_lane(media::JobKind::photo, settings.photos_concurrent_max);
  start_lane(media::JobKind::video, settings.concurrent_max);
  start_lane(media::JobKind::edges, edges_concurrent_max);
  waiting_now.set(static_cast<std::int64_t>(queue.size()));
  running_now.set(static_cast<std::int64_t>(running.size()));
  wait_for_pause();
}

void Supervisor::Impl::start_lane(media::JobKind kind, std::int64_t concurrent_max) {
  while (running_in(kind) < concurrent_max) {
    auto next = queue.take(kind, steady_now());
    if (!next) return;
    auto runner = std::make_shared<Running>(io, std::move(*next));
    running.push_back(runner);
    net::spawn(io, run(shared_from_this(), runner));
  }
}

void Supervisor::Impl::wait_for_pause() {
  auto end = queue.next_end_of_pause(steady_now());
  if (!end) return;
  pause_end.expires_at(*end);
  pause_end.async_wait([self = shared_from_this()](boost::system::error_code ec) {
    if (!ec) self->pump();
  });
}

// Right after a publication little work is lost, and each turn has brought something.
void Supervisor::Impl::consider_turn(Running& runner) {
  if (runner.worked() < settings.turn || !queue.wants_room(runner.waiting.job, steady_now()))
    return;
  runner.give_way();
}

void Supervisor::Impl::finished(const Runner& runner) {
  running.remove(runner);
  running_now.set(static_cast<std::int64_t>(running.size()));
  pump();
}

net::Task<void> Supervisor::Impl::run(std::shared_ptr<Impl> self, Runner runner) {
  TryEnd end = co_await try_once(self, runner);
  co_await conclude(self, runner, std::move(end));
  self->finished(runner);
}

// False: there is no process to start; `end` says why, unless the job was dropped.
net::Task<bool> Supervisor::Impl::begin(std::shared_ptr<Impl> self, Runner runner, TryEnd& end) {
  media::Job& job = runner->waiting.job;
  const Tally& tally = runner->waiting.tally;
  job.attempt = 1 + tally.crashes + tally.setbacks;
  auto prepare = [&]() -> Result<void> {
    if (auto begun = self->desk.begin(job); !begun) return begun;
    return self->desk.add_published(job);
  };
  auto prepared = co_await net::run_blocking(self->blocking, prepare);
  if (prepared) co_return true;
  if (prepared.error().kind == ErrorKind::not_found) {
    runner->drop();
  } else {
    end.result.emplace();
    end.result->retry = true;
    end.result->reason = prepared.error().message;
  }
  co_return false;
}

net::Task<TryEnd> Supervisor::Impl::try_once(std::shared_ptr<Impl> self, Runner runner) {
  TryEnd end;
  bool wanted = co_await begin(self, runner, end);
  if (!wanted || runner->dropped()) co_return end;
  const media::Job& job = runner->waiting.job;
  if (runner->waiting.worked.count() == 0) self->tries.add();
  ProcessOptions options{.program = self->settings.transcoder,
                         .config = self->settings.transcoder_config,
                         .job = media::to_json(job),
                         .source_path = self->desk.source_path(job),
                         .memory_max = self->settings.memory_max,
                         .nice_steps = nice_steps_of(job.kind)};
  auto start = [&] { return Process::start(options); };
  auto process = co_await net::run_blocking(self->blocking, start);
  if (!process) {
    if (process.error().kind == ErrorKind::not_found)
      end.result = {.ready = false, .reason = "the uploaded file is not there any more"};
    else
      end.not_started = process.error().message;
    co_return end;
  }
  log::info("job started",
            {kv("tenant", job.tenant), kv("asset", job.asset), kv("version", job.version),
             kv("attempt", job.attempt), kv("renditions_published", job.published.size()),
             kv("pid", process->pid())});
  co_await follow(self, runner, std::move(*process), end);
  co_return end;
}

net::Task<void> Supervisor::Impl::follow(std::shared_ptr<Impl> self, Runner runner, Process process,
                                         TryEnd& end) {
  const media::Job& job = runner->waiting.job;
  runner->serve(process.take_connection(), self->desk.for_job(job, *runner));
  runner->after_publication = [self, &watched = *runner] { self->consider_turn(watched); };
  runner->watch(process, self->settings);
  asio::posix::basic_stream_descriptor<net::Executor> ended(self->io.get_executor(),
                                                            process.pidfd());
  co_await ended.async_wait(asio::posix::descriptor_base::wait_read, net::use_result);
  ended.release();
  runner->unwatch();
  runner->waiting.worked += runner->worked();
  Process::End how = process.reap();
  // What it sent before its end is still being taken in.
  co_await runner->connection_closed();
  end.result = runner->result();
  end.killed = runner->killed();
  end.exit_code = how.exit_code;
  end.signal = how.signal;
  log::info("job process ended",
            {kv("tenant", job.tenant), kv("asset", job.asset), kv("exit_code", how.exit_code),
             kv("signal", how.signal), kv("cpu_ms", how.cpu.count()),
             kv("memory_peak_mib", how.memory_peak >> 20)});
}

net::Task<void> Supervisor::Impl::conclude(std::shared_ptr<Impl> self, Runner runner, TryEnd end) {
  if (runner->dropped() && !(end.result && end.result->ready)) co_return;
  Tally& tally = runner->waiting.tally;
  int crashes_before = tally.crashes;
  Verdict verdict = judge(end, tally,
                          {.attempts_max = static_cast<int>(self->settings.attempts_max),
                           .deadline = self->settings.deadline,
                           .memory_max = self->settings.memory_max});
  if (tally.crashes > crashes_before) self->crashes.add();
  if (verdict.result) {
    bool done = co_await settle(self, runner->waiting.job, std::move(*verdict.result));
    if (done) co_return;
    verdict.pause = std::chrono::seconds(5);
  }
  if (!verdict.outage.empty())
    co_await wait_for_transcoder(self, runner, std::move(verdict.outage), verdict.pause);
  if (end.killed == KillReason::turn && !end.result)
    self->make_room(runner);
  else
    self->again(runner, verdict.pause);
}

// It is the service's fault, so the broadcaster is told that the job waits, and the operator why.
net::Task<void> Supervisor::Impl::wait_for_transcoder(std::shared_ptr<Impl> self, Runner runner,
                                                      std::string outage,
                                                      std::chrono::milliseconds pause) {
  const media::Job& job = runner->waiting.job;
  self->outages.add();
  log::error("transcoder cannot be started; the job waits",
             {kv("tenant", job.tenant), kv("asset", job.asset), kv("why", outage),
              kv("program", self->settings.transcoder), kv("pause_ms", pause.count())});
  if (runner->dropped()) co_return;
  auto put_back = [&] { return self->desk.put_back(job, outage_stage); };
  auto done = co_await net::run_blocking(self->blocking, put_back);
  if (!done && done.error().kind == ErrorKind::not_found) runner->drop();
}

// False: the disk did not take it; try the job again, which finds everything published.
net::Task<bool> Supervisor::Impl::settle(std::shared_ptr<Impl> self, media::Job job,
                                         media::JobResult result) {
  auto write = [&] { return self->desk.settle(job, result); };
  auto written = co_await net::run_blocking(self->blocking, write);
  if (written) self->settled.add();
  if (written || written.error().kind == ErrorKind::not_found) co_return true;
  log::error("job not settled", {kv("tenant", job.tenant), kv("asset", job.asset),
                                 kv("why", written.error().message)});
  co_return false;
}

void Supervisor::Impl::again(const Runner& runner, std::chrono::milliseconds pause) {
  if (stopping || runner->dropped()) return;
  Waiting waiting = runner->waiting;
  waiting.not_before = steady_now() + pause;
  waiting.worked = {};
  log::info("job tried again",
            {kv("tenant", waiting.job.tenant), kv("asset", waiting.job.asset),
             kv("crashes", waiting.tally.crashes), kv("setbacks", waiting.tally.setbacks),
             kv("pause_ms", pause.count())});
  enqueue(std::move(waiting));
}

void Supervisor::Impl::make_room(const Runner& runner) {
  if (stopping || runner->dropped()) return;
  turns.add();
  Waiting waiting = runner->waiting;
  waiting.rank = {};
  log::info("job made room", {kv("tenant", waiting.job.tenant), kv("asset", waiting.job.asset),
                              kv("worked_ms", waiting.worked.count())});
  desk.note_stage(waiting.job, "waiting for its next turn");
  enqueue(std::move(waiting));
}

Supervisor::Supervisor(net::asio::io_context& io, Desk& desk, net::Blocking& blocking,
                       Metrics& metrics, const JobSettings& settings)
    : impl_(std::make_shared<Impl>(io, desk, blocking, metrics, settings)) {
}

Supervisor::~Supervisor() = default;

void Supervisor::submit(media::Job job) {
  asio::post(impl_->io,
             [impl = impl_, job = std::move(job)]() mutable { impl->submit(std::move(job)); });
}

void Supervisor::cancel(std::string tenant, std::string asset, std::string version) {
  asio::post(impl_->io, [impl = impl_, tenant = std::move(tenant), asset = std::move(asset),
                         version = std::move(version)] { impl->cancel(tenant, asset, version); });
}

void Supervisor::stop() {
  asio::post(impl_->io, [impl = impl_] { impl->stop(); });
}

}  // namespace relay::origin::jobs
