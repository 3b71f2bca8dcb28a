#include "transcoder/sound.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "common/base/check.hpp"
#include "transcoder/frame_rate.hpp"

namespace relay::transcoder {

namespace {

constexpr double gap_samples = 0.040 * sound_rate;       // a longer step is a gap or an overlap
constexpr double drift_tolerated = 0.0005 * sound_rate;  // above it we speed up or slow down
constexpr double drift_smoothing = 0.05;
constexpr std::int64_t lead_max_s = 60;  // how far sound may be ahead of the picture

}  // namespace

Sound::Sound(Demuxer& demuxer, Decoder decoder, SoundEncoder encoder, const Chunker& chunker,
             Timeline& timeline, Delivery& delivery, Place place)
    : demuxer_(demuxer),
      decoder_(std::move(decoder)),
      encoder_(std::move(encoder)),
      chunker_(chunker),
      timeline_(timeline),
      delivery_(delivery),
      place_(place) {
}

Result<void> Sound::run() {
  av::Packet packet = av::make_packet();
  while (!full()) {
    auto more = demuxer_.next(*packet);
    if (!more) return std::unexpected(more.error());
    if (*more && packet->stream_index != demuxer_.audio()->index) continue;
    decoder_.push(*more ? packet.get() : nullptr);
    if (auto taken = take_all(decoder_); !taken) return taken;
    if (!*more) break;
  }
  if (auto rest = resample(nullptr); !rest) return rest;
  return finish();
}

Result<void> Sound::take_all(Decoder& decoder) {
  av::Frame frame = av::make_frame();
  while (!full() && decoder.pull(*frame)) {
    if (frame->nb_samples > 0 && frame->sample_rate > 0) {
      if (auto taken = take(*frame); !taken) return taken;
    }
    av_frame_unref(frame.get());
  }
  return {};
}

// Brings what we wrote to where `sample` belongs: silence into a gap, trimming of an overlap, and
// a gentle change of speed against drift of the source's clock.
Result<void> Sound::place_at(std::int64_t sample) {
  std::int64_t written = encoded_samples_ + static_cast<std::int64_t>(left_.size()) +
                         resampler_.held() - trim_samples_;
  auto late = static_cast<double>(sample - written);
  bool first = decoder_.frames() == 1;
  if (std::abs(late) > gap_samples || first) {
    drift_samples_ = 0;
    if (late < 0) {
      trim_samples_ += written - sample;
      return {};
    }
    if (auto rest = resample(nullptr); !rest) return rest;
    return add_silence(sample - encoded_samples_ - static_cast<std::int64_t>(left_.size()));
  }
  drift_samples_ += drift_smoothing * (late - drift_samples_);
  if (std::abs(drift_samples_) > drift_tolerated) {
    auto delta = static_cast<int>(std::lround(drift_samples_));
    resampler_.compensate(delta);
    drift_samples_ = 0;
  }
  return {};
}

Result<void> Sound::take(const AVFrame& frame) {
  if (!resampler_.fits(frame)) {
    if (auto rest = resample(nullptr); !rest) return rest;
    if (auto opened = resampler_.open(frame); !opened) return opened;
  }
  std::int64_t pts = frame.best_effort_timestamp;
  if (pts != AV_NOPTS_VALUE) {
    std::int64_t time = av::to_nanoseconds(pts, demuxer_.audio()->time_base) - place_.zero_ns;
    if (auto placed = place_at(av_rescale(time, sound_rate, 1'000'000'000)); !placed) return placed;
  }
  if (auto done = resample(&frame); !done) return done;
  return encode_whole_frames();
}

// A null frame takes out what the resampler still holds.
Result<void> Sound::resample(const AVFrame* frame) {
  StereoSamples samples = resampler_.convert(frame);
  auto got = static_cast<std::int64_t>(samples.left.size());
  std::int64_t trimmed = std::min(trim_samples_, got);
  trim_samples_ -= trimmed;
  left_.insert(left_.end(), samples.left.begin() + trimmed, samples.left.end());
  right_.insert(right_.end(), samples.right.begin() + trimmed, samples.right.end());
  return {};
}

Result<void> Sound::add_silence(std::int64_t samples) {
  while (samples > 0 && !full()) {
    auto now = static_cast<std::size_t>(std::min<std::int64_t>(samples, sound_rate));
    left_.resize(left_.size() + now);
    right_.resize(right_.size() + now);
    samples -= static_cast<std::int64_t>(now);
    if (auto encoded = encode_whole_frames(); !encoded) return encoded;
  }
  return {};
}

std::int64_t Sound::picture_frames(std::int64_t samples) const {
  return frame_at(av_rescale(samples, 1'000'000'000, sound_rate), chunker_.rate());
}

Result<void> Sound::encode_whole_frames() {
  std::size_t at = 0;
  for (; left_.size() - at >= sound_frame && !full(); at += sound_frame) {
    if (auto pushed = encoder_.push(left_.data() + at, right_.data() + at, ready_); !pushed)
      return pushed;
    encoded_samples_ += sound_frame;
  }
  left_.erase(left_.begin(), left_.begin() + static_cast<std::ptrdiff_t>(at));
  right_.erase(right_.begin(), right_.begin() + static_cast<std::ptrdiff_t>(at));
  if (at == 0 || place_.alone) {
    deliver_ready();
    return {};
  }
  std::int64_t reached = picture_frames(encoded_samples_);
  timeline_.sound_at(reached);
  std::int64_t lead = picture_frames(lead_max_s * sound_rate);
  if (reached > lead) timeline_.wait_for_picture(reached - lead);
  deliver_ready();
  return {};
}

std::int64_t Sound::cut_after(std::int64_t segment) const {
  return sound_frame_at(chunker_.first_frame(segment + 1), chunker_.rate());
}

// A segment may go once it is certain that another one follows: the picture has begun it.
void Sound::deliver_ready() {
  Timeline::Mark picture = timeline_.picture();
  if (picture.ended && !place_.alone && !frames_end_) {
    std::int64_t last_cut = sound_frame_at(
        chunker_.first_frame(chunker_.segment_of(std::max<std::int64_t>(picture.frames - 1, 0))),
        chunker_.rate());
    frames_end_ = std::max(sound_frame_at(picture.frames, chunker_.rate()), last_cut + 1);
  }
  for (;;) {
    std::int64_t cut = cut_after(segment_);
    std::int64_t have = frames_out_ + static_cast<std::int64_t>(ready_.size());
    if (have <= cut) return;
    bool follows = place_.alone || picture.frames > chunker_.first_frame(segment_ + 1);
    if (!follows || (frames_end_ && cut >= *frames_end_)) return;
    deliver_segment(cut, false);
  }
}

bool Sound::full() const {
  return frames_end_ && frames_out_ + static_cast<std::int64_t>(ready_.size()) >= *frames_end_;
}

void Sound::deliver_segment(std::int64_t frames_end, bool last) {
  Segment segment;
  segment.track = place_.track;
  segment.number = segment_++;
  segment.last = last;
  segment.start = ready_.front().pts;
  for (; frames_out_ < frames_end; ++frames_out_) {
    segment.duration += sound_frame;
    segment.samples.push_back(std::move(ready_.front()));
    ready_.pop_front();
  }
  if (segment.number >= place_.first_segment) delivery_.deliver(std::move(segment));
}

// Behind the last decoded sample: silence until the picture ends, or the rest of a frame.
Result<void> Sound::finish() {
  std::int64_t samples = encoded_samples_ + static_cast<std::int64_t>(left_.size());
  std::int64_t frames = (samples + sound_frame - 1) / sound_frame;
  timeline_.sound_ends_at(picture_frames(samples));
  if (place_.alone) frames_end_ = std::max<std::int64_t>(frames, 1);
  while (!full()) {
    if (delivery_.failure()) return {};
    if (!frames_end_) {
      // Cut by cut: a segment that is complete must not wait for the end of the picture.
      std::int64_t reached = picture_frames(encoded_samples_);
      std::int64_t segment = segment_;
      timeline_.wait_for_picture(std::min(reached, chunker_.first_frame(segment + 1)));
      deliver_ready();
      if (segment_ > segment) continue;
      Timeline::Mark picture = timeline_.wait_for_picture(reached);
      if (!picture.ended && picture.frames <= reached) return {};  // stopped
    }
    left_.resize(left_.size() + sound_frame);
    right_.resize(left_.size());
    if (auto encoded = encode_whole_frames(); !encoded) return encoded;
    deliver_ready();
  }
  deliver_ready();
  deliver_segment(*frames_end_, true);
  return {};
}

}  // namespace relay::transcoder
