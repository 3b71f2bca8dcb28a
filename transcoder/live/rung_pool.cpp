#include "transcoder/live/rung_pool.hpp"

#include <algorithm>
#include <utility>

namespace relay::transcoder::live {

namespace {
// Pictures with bytes, and with those that stand for a repeat: some seconds.
constexpr std::size_t pictures_max = 16, waiting_max = 250;
constexpr std::int64_t behind_us = 200'000;
}  // namespace

RungPool::~RungPool() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  filled_.notify_all();
}

void RungPool::add(Rung rung) {
  lanes_.push_back(std::make_unique<Lane>(std::move(rung)));
}

void RungPool::start(int workers) {
  for (int i = 0; i < workers; ++i) workers_.emplace_back([this] { work(); });
}

void RungPool::push(std::size_t index, av::Frame picture, std::int64_t frame) {
  Lane& lane = *lanes_[index];
  {
    std::lock_guard lock(mutex_);
    bool full = lane.queue.size() >= waiting_max;
    lane.broken = full || (lane.broken && !grid_.begins_segment(frame));
    if (lane.broken) return;
    if (lane.queue.size() >= pictures_max) picture.reset();
    lane.queue.push_back({std::move(picture), frame});
  }
  filled_.notify_one();
}

void RungPool::finish() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  filled_.notify_all();
  workers_.clear();
}

std::int64_t RungPool::encode_delay_us() {
  std::lock_guard lock(mutex_);
  std::int64_t worst = std::exchange(delay_us_, 0);
  for (const auto& lane : lanes_) {
    if (lane->queue.empty()) continue;
    std::int64_t due = grid_.setup().microseconds_of(lane->queue.front().frame);
    worst = std::max(worst, clock_.now_us() - due);
  }
  return worst;
}

// The oldest frame first, and of one frame the dearest rung, which takes longest. When that is
// behind, the cheapest rungs first: they are soon in time again, and the dearest is what is shed.
RungPool::Lane* RungPool::choose() {
  Lane* best = nullptr;
  Lane* cheapest = nullptr;  // that has something to do
  for (auto& lane : lanes_) {
    if (lane->busy || lane->flushed) continue;
    if (lane->queue.empty()) {
      if (ending_) return lane.get();
      continue;
    }
    if (!best || lane->queue.front().frame < best->queue.front().frame) best = lane.get();
    cheapest = lane.get();
  }
  if (!best) return nullptr;
  std::int64_t due = grid_.setup().microseconds_of(best->queue.front().frame);
  return clock_.now_us() - due > behind_us ? cheapest : best;
}

void RungPool::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    Lane* lane = choose();
    bool done = ending_ && std::ranges::all_of(lanes_, [](auto& each) { return each->flushed; });
    if (stopped_ || done) return;
    if (!lane) {
      filled_.wait(lock);
      continue;
    }
    Waiting waiting{};
    bool flush = lane->queue.empty();
    if (!flush) {
      waiting = std::move(lane->queue.front());
      lane->queue.pop_front();
    }
    lane->busy = true;
    lock.unlock();
    encode(*lane, flush ? nullptr : &waiting);
    waiting = {};
    lock.lock();
    lane->busy = false;
    lane->flushed = flush;
    if (!flush && lane->rung.reached() >= 0) {
      std::int64_t due = grid_.setup().microseconds_of(lane->rung.reached());
      delay_us_ = std::max(delay_us_, clock_.now_us() - due);
    }
    filled_.notify_all();  // the lane is free for others, or all are done
  }
}

void RungPool::encode(Lane& lane, const Waiting* waiting) {
  if (output_.failed()) return;
  std::vector<Part> done;
  auto encoded = waiting ? lane.rung.push(waiting->picture.get(), waiting->frame, done)
                         : lane.rung.finish(done);
  for (Part& part : done) output_.send(lane.rung.track(), std::move(part));
  if (!encoded) output_.fail_with(encoded.error());
}

}  // namespace relay::transcoder::live
