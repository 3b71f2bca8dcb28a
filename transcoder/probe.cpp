#include "transcoder/probe.hpp"

extern "C" {
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
}

#include <algorithm>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "common/base/check.hpp"
#include "common/base/log.hpp"
#include "transcoder/decoder.hpp"
#include "transcoder/frame_rate.hpp"

namespace relay::transcoder {

namespace {

constexpr int probe_packets_max = 3000;
constexpr std::int64_t sample_bytes_max = 48 << 20;
constexpr std::size_t times_wanted = 40;
constexpr int fields_wanted = 20;  // frames that are looked at for combing
constexpr std::int64_t span_enough_ns = 3'000'000'000;

// libavfilter's idet over some frames: counts what it finds.
class CombDetector {
 public:
  void look_at(AVFrame& frame) {
    if (!graph_ && !build(frame)) return;
    if (av_buffersrc_add_frame_flags(input_, &frame, AV_BUFFERSRC_FLAG_KEEP_REF) < 0) return;
    av::Frame out = av::make_frame();
    while (av_buffersink_get_frame(output_, out.get()) >= 0) {
      const AVDictionaryEntry* entry =
          av_dict_get(out->metadata, "lavfi.idet.multiple.current_frame", nullptr, 0);
      std::string_view word = entry ? entry->value : "";
      ++seen;
      combed += word == "tff" || word == "bff" ? 1 : 0;
      clean += word == "progressive" ? 1 : 0;
      av_frame_unref(out.get());
    }
  }
  int seen = 0, combed = 0, clean = 0;

 private:
  bool build(const AVFrame& frame) {
    graph_.reset(avfilter_graph_alloc());
    std::string from = fmt::format("video_size={}x{}:pix_fmt={}:time_base=1/1000:pixel_aspect=1/1",
                                   frame.width, frame.height, frame.format);
    AVFilterContext* idet = nullptr;
    return avfilter_graph_create_filter(&input_, avfilter_get_by_name("buffer"), "in", from.c_str(),
                                        nullptr, graph_.get()) >= 0 &&
           avfilter_graph_create_filter(&idet, avfilter_get_by_name("idet"), "idet", nullptr,
                                        nullptr, graph_.get()) >= 0 &&
           avfilter_graph_create_filter(&output_, avfilter_get_by_name("buffersink"), "out",
                                        nullptr, nullptr, graph_.get()) >= 0 &&
           avfilter_link(input_, 0, idet, 0) >= 0 && avfilter_link(idet, 0, output_, 0) >= 0 &&
           avfilter_graph_config(graph_.get(), nullptr) >= 0;
  }
  av::FilterGraph graph_;
  AVFilterContext* input_ = nullptr;
  AVFilterContext* output_ = nullptr;
};

class Probe {
 public:
  Probe(ProbedSource& source, const SourceLimits& limits) : source_(source), limits_(limits) {}

  Result<SourceFacts> run() {
    if (auto opened = open(); !opened) return std::unexpected(opened.error());
    for (int packets = 0; packets < probe_packets_max && bytes_ < sample_bytes_max && !enough();
         ++packets) {
      auto packet = source_.look();
      if (!packet) return std::unexpected(packet.error());
      if (!*packet) {
        end_ = true;
        break;
      }
      bytes_ += (*packet)->size;
      look_at(**packet);
    }
    if (end_ || !picture_seen_) drain();
    return conclude();
  }

 private:
  Demuxer& demuxer() { return source_.demuxer(); }

  Result<void> open() {
    if (demuxer().video()) {
      auto decoder = Decoder::open(*demuxer().video(), limits_, 1);
      if (!decoder) return std::unexpected(decoder.error());
      picture_.emplace(std::move(*decoder));
      AVFieldOrder order = demuxer().video()->codecpar->field_order;
      suspicious_ = order != AV_FIELD_PROGRESSIVE && order != AV_FIELD_UNKNOWN;
    }
    if (demuxer().audio()) {
      if (auto decoder = Decoder::open(*demuxer().audio(), limits_, 1))
        sound_.emplace(std::move(*decoder));
      else
        log::warn("sound left out", {log::kv("reason", decoder.error().message)});
    }
    return {};
  }

  bool enough() const {
    bool sound = !sound_ || facts_.sound_start_known || span_ns() > span_enough_ns;
    if (!picture_) return sound && sound_seen_;
    return sound && picture_seen_ &&
           (times_.size() >= times_wanted || span_ns() > span_enough_ns) &&
           (!suspicious_ || combs_.seen >= fields_wanted);
  }

  std::int64_t span_ns() const {
    if (times_.empty()) return 0;
    auto [first, last] = std::ranges::minmax(times_);
    return last - first;
  }

  void look_at(const AVPacket& packet) {
    bool video = demuxer().video() && packet.stream_index == demuxer().video()->index;
    if (video) {
      if (packet.pts != AV_NOPTS_VALUE && (packet.flags & AV_PKT_FLAG_DISCARD) == 0)
        times_.push_back(av::to_nanoseconds(packet.pts, demuxer().video()->time_base));
      bool wanted = !picture_seen_ || (suspicious_ && combs_.seen < fields_wanted);
      if (wanted) picture_->push(&packet), take_pictures();
    } else if (sound_ && !facts_.sound_start_known) {
      sound_->push(&packet), take_sound();
    }
  }

  void drain() {
    if (picture_ && !picture_seen_) picture_->push(nullptr), take_pictures();
    if (sound_ && !sound_seen_) sound_->push(nullptr), take_sound();
  }

  void take_pictures() {
    av::Frame frame = av::make_frame();
    while (picture_->pull(*frame)) {
      if (!picture_seen_ && frame->width > 0) {
        picture_seen_ = true;
        facts_.picture = plan_picture(*demuxer().video(), *frame);
        std::int64_t pts = frame->best_effort_timestamp;
        if (pts != AV_NOPTS_VALUE)
          facts_.picture_start_ns = av::to_nanoseconds(pts, demuxer().video()->time_base);
      }
      suspicious_ = suspicious_ || frame->interlaced_frame;
      flagged_ += frame->interlaced_frame ? 1 : 0;
      if (suspicious_) combs_.look_at(*frame);
      av_frame_unref(frame.get());
    }
  }

  void take_sound() {
    av::Frame frame = av::make_frame();
    while (sound_->pull(*frame)) {
      std::int64_t pts = frame->best_effort_timestamp;
      sound_seen_ = true;
      if (!facts_.sound_start_known && pts != AV_NOPTS_VALUE) {
        facts_.sound_start_known = true;
        facts_.sound_start_ns = av::to_nanoseconds(pts, demuxer().audio()->time_base);
      }
      av_frame_unref(frame.get());
    }
  }

  Result<SourceFacts> conclude() {
    if (picture_ && !picture_seen_)
      return bad_input("the picture is damaged: not one frame of it could be decoded");
    facts_.has_picture = picture_seen_;
    // Sound that has not come yet may still come; sound that came and failed is left out.
    facts_.has_sound = sound_ && (sound_seen_ || sound_->count().damaged == 0);
    if (end_ && !sound_seen_) facts_.has_sound = false;
    if (!facts_.has_picture && !facts_.has_sound)
      return bad_input("the file has no picture and no sound that could be decoded");
    if (picture_seen_) {
      if (auto decided = decide_picture(); !decided) return std::unexpected(decided.error());
      facts_.zero_ns = facts_.sound_start_known
                           ? choose_zero(facts_.picture_start_ns, facts_.sound_start_ns)
                           : facts_.picture_start_ns;
    } else {
      facts_.zero_ns = facts_.sound_start_ns;
    }
    return facts_;
  }

  Result<void> decide_picture() {
    std::ranges::sort(times_);
    const AVStream& stream = *demuxer().video();
    AVRational guess = stream.avg_frame_rate.num > 0 ? stream.avg_frame_rate : stream.r_frame_rate;
    facts_.picture.frame_rate =
        choose_frame_rate(times_, {guess.num, guess.den > 0 ? guess.den : 1});
    bool mostly = flagged_ * 2 > static_cast<int>(picture_->frames());
    facts_.interlaced =
        suspicious_ && mostly && really_interlaced(combs_.seen, combs_.combed, combs_.clean);
    if (facts_.interlaced) {
      facts_.picture.deinterlace = true;
      Fraction fields = facts_.picture.frame_rate;
      fields.numerator *= 2;
      facts_.picture.two_fields = fields.value() <= frame_rate_max;
      if (facts_.picture.two_fields) facts_.picture.frame_rate = choose_frame_rate({}, fields);
    }
    return {};
  }

  ProbedSource& source_;
  const SourceLimits& limits_;
  SourceFacts facts_;
  std::optional<Decoder> picture_, sound_;
  bool picture_seen_ = false, sound_seen_ = false, suspicious_ = false, end_ = false;
  int flagged_ = 0;
  std::int64_t bytes_ = 0;
  std::vector<std::int64_t> times_;  // presentation, of pictures
  CombDetector combs_;
};

}  // namespace

Result<const AVPacket*> ProbedSource::look() {
  av::Packet packet = av::make_packet();
  auto more = demuxer_->next(*packet);
  if (!more) return std::unexpected(more.error());
  if (!*more) return nullptr;
  kept_.push_back(std::move(packet));
  return kept_.back().get();
}

Result<bool> ProbedSource::next(AVPacket& packet) {
  if (kept_.empty()) return demuxer_->next(packet);
  av_packet_unref(&packet);
  av_packet_move_ref(&packet, kept_.front().get());
  kept_.pop_front();
  return true;
}

Result<SourceFacts> probe(ProbedSource& source, const SourceLimits& limits) {
  return Probe(source, limits).run();
}

bool really_interlaced(int seen, int combed, int clean) {
  return seen < 4 || combed * 3 >= clean;
}

std::int64_t choose_zero(std::int64_t picture_ns, std::int64_t sound_ns) {
  constexpr std::int64_t second = 1'000'000'000;
  return sound_ns < picture_ns - second ? sound_ns : picture_ns;
}

}  // namespace relay::transcoder
