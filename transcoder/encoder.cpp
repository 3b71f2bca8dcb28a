#include "transcoder/encoder.hpp"

#include <utility>

namespace relay::transcoder {

Result<Encoder> Encoder::open(const Rendition& rendition, const PicturePlan& picture,
                              const Chunker& chunker, const Encoding& encoding, int threads,
                              std::int64_t first_segment) {
  H264Tuning tuning{.preset = encoding.preset, .crf = encoding.crf, .threads = threads};
  auto opened = H264Encoder::open(rendition, picture, chunker.rate(), tuning);
  if (!opened) return std::unexpected(opened.error());
  return Encoder(std::move(*opened), chunker, first_segment);
}

Result<void> Encoder::push(const AVFrame* picture, std::int64_t number,
                           std::vector<Segment>& done) {
  bool key = picture && chunker_->is_key(number);
  if (auto pushed = h264_.push(picture, number / frame_step(), key); !pushed) return pushed;
  for (;;) {
    auto coded = h264_.pull();
    if (!coded) return std::unexpected(coded.error());
    if (!*coded) break;
    add(std::move(**coded), done);
  }
  if (!picture && !samples_.empty()) close_segment(done, true);
  return {};
}

void Encoder::add(H264Picture coded, std::vector<Segment>& done) {
  bool cut = coded.idr && chunker_->is_cut(coded.pts * frame_step());
  if (cut && !samples_.empty()) close_segment(done, false);
  std::int64_t base = presentation_base_s * h264_.timescale(), ticks = h264_.frame_ticks();
  samples_.push_back({base + coded.dts * ticks, base + coded.pts * ticks, ticks, coded.idr,
                      std::move(coded.data)});
}

void Encoder::close_segment(std::vector<Segment>& done, bool last) {
  Segment segment;
  segment.number = number_++;
  segment.start = samples_.front().pts;
  segment.duration = h264_.frame_ticks() * static_cast<std::int64_t>(samples_.size());
  segment.last = last;
  segment.samples = std::exchange(samples_, {});
  done.push_back(std::move(segment));
}

}  // namespace relay::transcoder
