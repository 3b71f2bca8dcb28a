#include "transcoder/live/study.hpp"

#include <algorithm>

#include "transcoder/frame_rate.hpp"

namespace relay::transcoder::live {

namespace {

constexpr std::size_t times_wanted = 13, times_max = 250;
constexpr double rates_agree = 0.02;  // what is declared and what is measured

}  // namespace

std::optional<SourceFacts> Study::picture(const AVStream& stream, const AVPacket& packet) {
  if (packet.pts != AV_NOPTS_VALUE && times_ns_.size() < times_max)
    times_ns_.push_back(packet.pts * 1000);
  if (!facts_.has_picture) decode(stream, packet);
  if (!facts_.has_picture || times_ns_.size() < times_wanted) return std::nullopt;
  facts_.picture.frame_rate = rate(stream);
  if (facts_.interlaced) {
    facts_.picture.deinterlace = true;
    Fraction fields{facts_.picture.frame_rate.numerator * 2, facts_.picture.frame_rate.denominator};
    facts_.picture.two_fields = fields.value() <= frame_rate_max;
    if (facts_.picture.two_fields) facts_.picture.frame_rate = choose_frame_rate({}, fields);
  }
  return facts_;
}

std::optional<SourceFacts> Study::sound(const AVPacket& packet) {
  facts_.has_sound = true;
  if (first_sound_us_ == INT64_MIN) first_sound_us_ = packet.dts;
  if (!times_ns_.empty() || packet.dts - first_sound_us_ < sound_alone_us) return std::nullopt;
  return facts_;
}

void Study::decode(const AVStream& stream, const AVPacket& packet) {
  if (!decoder_) {
    if ((packet.flags & AV_PKT_FLAG_KEY) == 0) return;
    auto opened = Decoder::open(stream, limits_, 1, Delay::none);
    if (!opened) return;
    decoder_.emplace(std::move(*opened));
  }
  decoder_->push(&packet);
  av::Frame frame = av::make_frame();
  while (decoder_->pull(*frame)) {
    if (!facts_.has_picture) {
      facts_.has_picture = true;
      facts_.picture = plan_picture(stream, *frame);
      facts_.interlaced = frame->interlaced_frame != 0;
    }
    av_frame_unref(frame.get());
  }
}

// What stands in the stream is exact, where it agrees with the times of the pictures: those may
// be rounded to milliseconds.
Fraction Study::rate(const AVStream& stream) const {
  std::vector<std::int64_t> times = times_ns_;
  std::ranges::sort(times);
  Fraction measured = choose_frame_rate(times, {0, 1});
  AVRational coded = decoder_->context().framerate;
  for (AVRational declared : {stream.avg_frame_rate, coded, stream.r_frame_rate}) {
    if (declared.num <= 0 || declared.den <= 0) continue;
    double ratio = av_q2d(declared) / measured.value();
    if (std::abs(ratio - 1) <= rates_agree)
      return choose_frame_rate({}, {declared.num, declared.den});
  }
  return measured;
}

}  // namespace relay::transcoder::live
