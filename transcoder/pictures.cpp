#include "transcoder/pictures.hpp"

#include <algorithm>

#include "common/base/log.hpp"
#include "transcoder/caption_data.hpp"
#include "transcoder/frame_rate.hpp"

namespace relay::transcoder {

namespace {
constexpr std::size_t group_packets_max = 1500;  // then decoding begins wherever we are
constexpr std::int64_t last_picture_max_ns = 10'000'000'000;
}  // namespace

Pictures::Pictures(ProbedSource& source, Decoder decoder, const PicturePlan& plan, Scaler scaler,
                   EncoderPool& pool, Timeline& timeline, Delivery& delivery, Span span,
                   std::optional<Thumbnails> thumbnails)
    : source_(source),
      decoder_(std::move(decoder)),
      filter_(plan),
      rate_(plan.frame_rate),
      scaler_(std::move(scaler)),
      pool_(pool),
      timeline_(timeline),
      delivery_(delivery),
      span_(span),
      skipping_(span.first_frame > 0),
      next_(span.first_frame),
      captions_(pool.size()),
      thumbnails_(std::move(thumbnails)) {
  step_ns_ = time_of_frame(1, rate_);
}

Result<void> Pictures::run() {
  av::Packet packet = av::make_packet();
  for (;;) {
    auto more = read(*packet);
    if (!more) return std::unexpected(more.error());
    if (auto decoded = decode(*more ? packet.get() : nullptr); !decoded) return decoded;
    if (!*more || (span_.frames && next_ >= *span_.frames)) return end();
  }
}

Result<bool> Pictures::read(AVPacket& packet) {
  if (skipping_) {
    auto begun = skip_to_key(packet);
    if (!begun) return begun;
    skipping_ = false;
  }
  if (!group_.empty()) {
    av_packet_unref(&packet);
    av_packet_move_ref(&packet, group_.front().get());
    group_.pop_front();
    return true;
  }
  for (;;) {
    auto more = source_.next(packet);
    if (!more || !*more || packet.stream_index == source_.demuxer().video()->index) return more;
  }
}

// Goes on behind an earlier try: reads, without decoding, up to the last key frame that is shown
// no later than the first frame wanted. Its group of pictures is left in `group_`.
Result<bool> Pictures::skip_to_key(AVPacket& packet) {
  AVRational base = source_.demuxer().video()->time_base;
  for (;;) {
    auto more = source_.next(packet);
    if (!more) return more;
    if (!*more) return true;
    if (packet.stream_index != source_.demuxer().video()->index) continue;
    std::int64_t time = packet.pts != AV_NOPTS_VALUE ? packet.pts : packet.dts;
    std::int64_t frame = frame_at(av::to_nanoseconds(time, base) - span_.zero_ns, rate_);
    bool key = (packet.flags & AV_PKT_FLAG_KEY) != 0;
    if (key && frame <= span_.first_frame) group_.clear();
    bool past =
        packet.dts != AV_NOPTS_VALUE &&
        frame_at(av::to_nanoseconds(packet.dts, base) - span_.zero_ns, rate_) > span_.first_frame;
    av::Packet kept = av::make_packet();
    av_packet_move_ref(kept.get(), &packet);
    group_.push_back(std::move(kept));
    if (past || group_.size() > group_packets_max) return true;
  }
}

Result<void> Pictures::decode(AVPacket* packet) {
  decoder_.push(packet);
  av::Frame frame = av::make_frame();
  while (decoder_.pull(*frame)) {
    AVRational base = source_.demuxer().video()->time_base;
    // A picture without a time follows the one before.
    if (frame->best_effort_timestamp == AV_NOPTS_VALUE && previous_pts_ != INT64_MIN)
      frame->best_effort_timestamp =
          previous_pts_ + av_rescale_q(step_ns_, {1, 1'000'000'000}, base);
    if (frame->best_effort_timestamp == AV_NOPTS_VALUE)
      frame->best_effort_timestamp = av_rescale_q(span_.zero_ns, {1, 1'000'000'000}, base);
    frame->pts = previous_pts_ = frame->best_effort_timestamp;
    note_captions(*frame);
    if (auto filtered = filter(frame.get()); !filtered) return filtered;
    av_frame_unref(frame.get());
  }
  if (packet) return {};
  return filter(nullptr);
}

Result<void> Pictures::filter(AVFrame* frame) {
  AVRational base = source_.demuxer().video()->time_base;
  if (auto pushed = filter_.push(frame, base); !pushed) return pushed;
  av::Frame out = av::make_frame();
  while (filter_.pull(*out)) {
    if (auto shown = show(std::move(out)); !shown) return shown;
    out = av::make_frame();
  }
  return {};
}

// Output frame n shows the latest picture that begins at n or before; the first picture is shown
// from the very beginning.
Result<void> Pictures::show(av::Frame frame) {
  std::int64_t time = frame->pts - span_.zero_ns;
  if (time > span_.duration_max_ns)
    return bad_input("the video is longer than the longest that is allowed");
  std::int64_t begin = frame_at(time, rate_);
  if (current_) {
    if (begin < current_frame_) return {};  // late: its time has passed
    if (auto emitted = emit_until(begin); !emitted) return emitted;
  }
  std::int64_t length =
      std::min(av::to_nanoseconds(frame->pkt_duration, source_.demuxer().video()->time_base),
               last_picture_max_ns);
  current_length_ = std::max<std::int64_t>(1, frame_at(length, rate_));
  current_frame_ = begin;
  current_ = std::move(frame);
  scaled_.clear();
  return {};
}

Result<void> Pictures::emit_until(std::int64_t number) {
  if (span_.frames) number = std::min(number, *span_.frames);
  for (; next_ < number; ++next_) {
    std::vector<bool> shown(pool_.size());
    for (std::size_t i = 0; i < shown.size(); ++i) shown[i] = pool_.wants(i, next_);
    bool is_thumbnail = thumbnails_ && thumbnails_->wants(next_);
    std::vector<bool> needed = shown;
    if (is_thumbnail) needed.back() = true;
    if (auto scaled = scale(needed); !scaled) return scaled;
    if (is_thumbnail)
      if (auto taken = take_thumbnail(); !taken) return taken;
    pass_captions();
    for (std::size_t i = 0; i < shown.size(); ++i)
      if (shown[i] && !push(i)) return {};
    timeline_.picture_at(next_ + 1);
    report(next_);
  }
  return {};
}

Result<void> Pictures::scale(const std::vector<bool>& needed) {
  bool all_there = !scaled_.empty();
  for (std::size_t i = 0; all_there && i < needed.size(); ++i)
    all_there = !needed[i] || scaled_[i] != nullptr;
  if (all_there) return {};
  auto scaled = scaler_.scale(*current_, needed);
  if (!scaled) return std::unexpected(scaled.error());
  scaled_ = std::move(*scaled);
  return {};
}

// Of the smallest rendition: the least to scale.
Result<void> Pictures::take_thumbnail() {
  auto sheet = thumbnails_->add(*scaled_.back(), next_);
  if (!sheet) return std::unexpected(sheet.error());
  if (*sheet) delivery_.thumbnails(std::move(**sheet));
  return {};
}

// Off the picture, for filters, repeated and left out pictures would double or lose them.
void Pictures::note_captions(AVFrame& frame) {
  Bytes triples = take_captions(frame);
  std::int64_t time = av::to_nanoseconds(frame.pts, source_.demuxer().video()->time_base);
  if (frame_at(time - span_.zero_ns, rate_) >= span_.first_frame)
    source_captions_.add(time, std::move(triples));
}

void Pictures::pass_captions() {
  Bytes triples = source_captions_.take(current_->pts);
  if (triples.empty()) return;
  delivery_.captions(caption_channels(triples));
  for (std::size_t i = 0; i < captions_.size(); ++i)
    if (next_ >= pool_.first_frame(i)) captions_[i].add(triples);
}

bool Pictures::push(std::size_t rung) {
  av::Frame picture = av::share(*scaled_[rung]);
  put_captions(*picture, captions_[rung].take());
  return pool_.push(rung, std::move(picture), next_);
}

void Pictures::report(std::int64_t number) {
  if (number % std::max<std::int64_t>(1, frame_at(1'000'000'000, rate_)) != 0) return;
  std::int64_t declared = source_.demuxer().duration_ns();
  double fraction = declared > 0 ? static_cast<double>(time_of_frame(number, rate_)) /
                                       static_cast<double>(declared)
                                 : 0;
  delivery_.progress(std::min(fraction, 0.99), "encoding");
}

Result<void> Pictures::end() {
  if (!current_) {
    timeline_.picture_ends_at(next_);
    return {};
  }
  std::int64_t last = span_.frames ? *span_.frames : current_frame_ + current_length_;
  if (auto emitted = emit_until(last); !emitted) return emitted;
  std::int64_t second = frame_at(1'000'000'000, rate_);
  // Sound that goes on for more than a second keeps the last picture on the screen.
  while (span_.with_sound && !span_.frames) {
    Timeline::Mark sound = timeline_.wait_for_sound(next_ + second);
    if (sound.frames <= last + second || sound.frames <= next_) break;
    if (auto emitted = emit_until(sound.frames); !emitted) return emitted;
    if (delivery_.failure()) break;
  }
  timeline_.picture_ends_at(next_);
  if (!thumbnails_) return {};
  auto sheet = thumbnails_->finish(next_);
  if (!sheet) return std::unexpected(sheet.error());
  if (*sheet) delivery_.thumbnails(std::move(**sheet));
  return {};
}

}  // namespace relay::transcoder
