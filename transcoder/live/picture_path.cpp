#include "transcoder/live/picture_path.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/base/log.hpp"
#include "transcoder/caption_data.hpp"
#include "transcoder/frame_rate.hpp"
#include "transcoder/live/setup.hpp"

namespace relay::transcoder::live {

namespace {

constexpr std::size_t waiting_packets_max = 600;
constexpr std::size_t bytes_max = 24 << 20;
constexpr std::int64_t ahead_us = 300'000;  // decoded so long before it is due, at most
constexpr std::int64_t hurry_us = 80'000;   // later than this: what nobody refers to is left out
constexpr std::int64_t emergency_us = 1'000'000;  // later than this: all but key pictures
constexpr int decoder_threads = 2;

}  // namespace

PicturePath::PicturePath(const AVStream& stream, const SourceLimits& limits,
                         const media::LiveSetup& setup, const ChannelClock& clock,
                         SlotOutput& output)
    : rate_(stream.avg_frame_rate),
      setup_(setup),
      clock_(clock),
      output_(output),
      joined_us_(clock.now_us()),
      canvas_(setup.renditions.front().width, setup.renditions.front().height) {
  if (auto opened = Decoder::open(stream, limits, decoder_threads, Delay::none))
    decoder_.emplace(std::move(*opened));
  else
    log::warn("picture cannot be decoded", {kv("reason", opened.error().message)});
  step_us_ = time_of_frame(1, rate_of(setup)) / 1000;
  thread_ = std::jthread([this] { run(); });
}

PicturePath::~PicturePath() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
}

void PicturePath::push(av::Packet packet) {
  bool key = (packet->flags & AV_PKT_FLAG_KEY) != 0;
  std::lock_guard lock(mutex_);
  auto bytes = static_cast<std::size_t>(packet->size);
  bool full = waiting_.size() >= waiting_packets_max || waiting_bytes_ + bytes > bytes_max;
  broken_ = full || (broken_ && !key);
  if (broken_) return output_.drop(1);
  waiting_bytes_ += bytes;
  waiting_.push_back({std::move(packet), clock_.now_us()});
  changed_.notify_all();
}

void PicturePath::end() {
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
}

// Nothing: a stop, or the end.
std::optional<PicturePath::Waiting> PicturePath::next() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (stopped_ || (ended_ && waiting_.empty())) return std::nullopt;
    if (waiting_.empty()) {
      changed_.wait(lock);
      continue;
    }
    auto due = clock_.at(waiting_.front().packet->dts - ahead_us);
    if (std::chrono::steady_clock::now() >= due) break;
    changed_.wait_until(lock, due);
  }
  Waiting next = std::move(waiting_.front());
  waiting_.pop_front();
  waiting_bytes_ -= static_cast<std::size_t>(next.packet->size);
  return next;
}

void PicturePath::run() {
  while (auto waiting = next()) {
    if (!decoder_) {
      output_.drop(1);
      continue;
    }
    catch_up(*waiting);
    decode(waiting->packet.get());
  }
  std::unique_lock lock(mutex_);
  bool all = !stopped_;
  lock.unlock();
  if (decoder_ && all) decode(nullptr);
  done_ = true;
}

// A machine that is too slow for the stream leaves out what nobody refers to, then all up to the
// next key picture. A stream that is joined in the middle of a group is decoded from its key
// picture on: that much is late by nature, and short.
void PicturePath::catch_up(const Waiting& waiting) {
  std::int64_t now = clock_.now_us(), dts = waiting.packet->dts;
  output_.note_behind(now - std::max(dts - ahead_us, waiting.pushed_us));
  bool key = (waiting.packet->flags & AV_PKT_FLAG_KEY) != 0;
  bool hopeless = now - dts > emergency_us && dts > joined_us_;
  skipping_ = !key && (skipping_ || hopeless);
  AVDiscard discard = now - dts > hurry_us ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
  if (skipping_) discard = AVDISCARD_NONKEY;
  decoder_->skip(discard);
  if (skipping_) output_.drop(1);
}

void PicturePath::decode(AVPacket* packet) {
  decoder_->push(packet);
  av::Frame frame = av::make_frame();
  while (decoder_->pull(*frame)) {
    std::int64_t time = frame->pts != AV_NOPTS_VALUE ? frame->pts : frame->best_effort_timestamp;
    if (time == AV_NOPTS_VALUE) time = previous_us_.value_or(clock_.now_us()) + step_us_;
    frame->pts = time;
    previous_us_ = time;
    output_.add_captions(time, take_captions(*frame));
    // Late ones are left out here, before they cost more; the slot's output judges exactly.
    if (clock_.now_us() - time <= emergency_us)
      filter(*frame);
    else if (time > joined_us_)
      output_.drop(1);
    av_frame_unref(frame.get());
  }
}

// Size, kind and colours may change from one picture to the next.
void PicturePath::filter(AVFrame& frame) {
  bool same = filter_ && frame.width == width_ && frame.height == height_ &&
              (frame.interlaced_frame != 0) == interlaced_ && frame.color_trc == transfer_;
  if (!same) {
    interlaced_ = frame.interlaced_frame != 0;
    transfer_ = frame.color_trc;
    width_ = frame.width;
    height_ = frame.height;
    PicturePlan plan = plan_picture(frame);
    plan.deinterlace = interlaced_;
    // Fields are worth it when the channel is fast enough to show them.
    plan.two_fields = interlaced_ && rate_of(setup_).value() > frame_rate_max / 2;
    plan.top_width = setup_.renditions.front().width;
    plan.top_height = setup_.renditions.front().height;
    filter_.emplace(std::move(plan));
    describe(frame);
  }
  constexpr AVRational microseconds = {1, 1'000'000};
  if (!filter_->push(&frame, microseconds)) return output_.drop(1);
  av::Frame out = av::make_frame();
  while (filter_->pull(*out)) {
    show(*out);
    av_frame_unref(out.get());
  }
}

void PicturePath::show(const AVFrame& frame) {
  auto fitted = canvas_.fit(frame);
  if (!fitted) return output_.drop(1);
  output_.add_picture(frame.pts / 1000, std::move(*fitted), clock_.now_us());
}

void PicturePath::describe(const AVFrame& frame) {
  AVRational rate = rate_;
  if (rate.num <= 0 || rate.den <= 0) rate = decoder_->context().framerate;
  std::string words = fmt::format("{} {}x{}", avcodec_get_name(decoder_->context().codec_id),
                                  frame.width, frame.height);
  if (rate.num > 0 && rate.den > 0) words += fmt::format(" {}/{}", rate.num, rate.den);
  output_.describe_picture(std::move(words));
}

}  // namespace relay::transcoder::live
