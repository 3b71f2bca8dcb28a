#include "transcoder/encoder_pool.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace relay::transcoder {

namespace {
constexpr std::int64_t queue_bytes_max = 150 << 20;  // of the largest rendition; others hold less
constexpr std::int64_t queue_frames_max = 64, queue_frames_min = 4;
// After the hurry queues shrink to this, for what still waits in the dearest rendition's when the
// source ends is worked off by one core alone. They shrink slowly, by a frame each time this many
// were pushed: at once, the others would have nothing to do until that one is short.
constexpr std::int64_t queue_frames_steady = 12;
constexpr std::int64_t frames_pushed_a_step = 6;
constexpr auto stop_poll = std::chrono::milliseconds(100);  // a stop does not notify
}  // namespace

EncoderPool::~EncoderPool() {
  if (!workers_.empty()) stop_.stop();
}

void EncoderPool::add(Encoder encoder, int track, std::int64_t pixels) {
  std::size_t room = 0;
  if (rungs_.empty())
    room = static_cast<std::size_t>(
        std::clamp(queue_bytes_max / (pixels * 3 / 2), queue_frames_min, queue_frames_max));
  else
    room = rungs_.front()->room;
  rungs_.push_back(std::make_unique<Rung>(std::move(encoder), track, room));
}

void EncoderPool::start(int workers) {
  for (int i = 0; i < workers; ++i) workers_.emplace_back([this] { work(); });
}

bool EncoderPool::wants(std::size_t rung, std::int64_t number) const {
  const Encoder& encoder = rungs_[rung]->encoder;
  return number >= encoder.first_frame() && number % encoder.frame_step() == 0;
}

std::size_t EncoderPool::room_at(const Rung& rung, std::int64_t number) const {
  if (number < hurry_until_) return rung.room;
  auto full = static_cast<std::int64_t>(rung.room);
  std::int64_t shrunk = full - (number - hurry_until_) / frames_pushed_a_step;
  return static_cast<std::size_t>(std::max(shrunk, std::min(full, queue_frames_steady)));
}

bool EncoderPool::push(std::size_t index, av::Frame picture, std::int64_t number) {
  Rung& rung = *rungs_[index];
  {
    std::unique_lock lock(mutex_);
    std::size_t room = room_at(rung, number);
    while (rung.queue.size() >= room && !stop_.stopped() && !stop_.late())
      emptied_.wait_for(lock, stop_poll);
    if (stop_.stopped() || stop_.late()) return false;
    rung.queue.push_back({std::move(picture), number});
  }
  filled_.notify_one();
  return true;
}

void EncoderPool::finish() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  filled_.notify_all();
  workers_.clear();
}

EncoderPool::Rung* EncoderPool::choose() {
  Rung* best = nullptr;
  for (auto& candidate : rungs_) {
    Rung& rung = *candidate;
    if (rung.busy || rung.flushed || (rung.queue.empty() && !ending_)) continue;
    bool hurry = !rung.queue.empty() && rung.queue.front().number < hurry_until_;
    // Rungs come largest first: in a hurry a later one wins, else a fuller one.
    if (!best || hurry || rung.queue.size() > best->queue.size()) best = &rung;
  }
  return best;
}

void EncoderPool::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (stop_.stopped() || stop_.late()) return;
    Rung* rung = choose();
    if (!rung) {
      bool done = std::ranges::all_of(rungs_, [](auto& r) { return r->flushed; });
      if (ending_ && done) return;
      filled_.wait_for(lock, stop_poll);
      continue;
    }
    Waiting waiting;
    bool flush = rung->queue.empty();
    if (!flush) {
      waiting = std::move(rung->queue.front());
      rung->queue.pop_front();
    }
    rung->busy = true;
    lock.unlock();
    encode(*rung, flush ? nullptr : &waiting);
    waiting = {};
    lock.lock();
    rung->busy = false;
    rung->flushed = flush;
    emptied_.notify_all();
    filled_.notify_one();  // a worker that passed this busy rung by may take it now
  }
}

void EncoderPool::encode(Rung& rung, const Waiting* waiting) {
  std::vector<Segment> done;
  auto pushed = waiting ? rung.encoder.push(waiting->picture.get(), waiting->number, done)
                        : rung.encoder.push(nullptr, 0, done);
  for (Segment& segment : done) {
    segment.track = rung.track;
    delivery_.deliver(std::move(segment));
  }
  if (!pushed) delivery_.fail_with(pushed.error());
}

}  // namespace relay::transcoder
