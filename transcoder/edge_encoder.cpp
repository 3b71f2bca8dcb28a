#include "transcoder/edge_encoder.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "transcoder/decoder.hpp"
#include "transcoder/h264_encoder.hpp"
#include "transcoder/nal.hpp"

namespace relay::transcoder {
namespace {

// Second-hand pictures: what the first encoder left out is not to be left out twice.
constexpr double crf_step = 4;
constexpr std::int64_t kbit_s_min = 200;

BytesView head_of(const AVStream& stream) {
  return {stream.codecpar->extradata, static_cast<std::size_t>(stream.codecpar->extradata_size)};
}

// Profile and level stand in bytes 1 and 3 of an AVCDecoderConfigurationRecord.
int profile_of(BytesView record) {
  switch (record[1]) {
    case FF_PROFILE_H264_BASELINE:
      return FF_PROFILE_H264_CONSTRAINED_BASELINE;
    case FF_PROFILE_H264_MAIN:
      return FF_PROFILE_H264_MAIN;
    default:
      return FF_PROFILE_H264_HIGH;
  }
}

/// A number that none of the sets has.
std::optional<int> free_set_id(const AvccView& sets) {
  constexpr int ids_max = 31;
  for (int id = 0; id <= ids_max; ++id) {
    auto has_it = [&](BytesView set) { return set_id(set).value_or(id) == id; };
    if (std::ranges::none_of(sets.sequence_sets, has_it) &&
        std::ranges::none_of(sets.picture_sets, has_it))
      return id;
  }
  return std::nullopt;
}

/// One configuration with the sets of both; what both have stands once.
std::optional<Bytes> joined(BytesView source, BytesView own) {
  std::vector<BytesView> units;
  for (BytesView record : {source, own}) {
    auto sets = read_avcc(record);
    if (!sets) return std::nullopt;
    units.insert(units.end(), sets->sequence_sets.begin(), sets->sequence_sets.end());
    units.insert(units.end(), sets->picture_sets.begin(), sets->picture_sets.end());
  }
  return make_avcc(units);
}

class EdgeEncoding {
 public:
  EdgeEncoding(const EdgeSegment& of, const EdgeCut& cut, const EdgeTuning& tuning)
      : of_(of), cut_(cut), tuning_(tuning), frames_(of.frames().frames) {}

  Result<EdgePictures> run(const SourceLimits& limits) {
    ticks_ = frames_[cut_.first].duration;
    if (!is_steady()) return bad_input("the pictures at the clip's edge come at no constant rate");
    auto decoder = Decoder::open(of_.stream(), limits, tuning_.threads);
    if (!decoder) return std::unexpected(decoder.error());
    for (const av::Packet& packet : of_.packets()) {
      decoder->push(packet.get());
      if (auto taken = take_all(*decoder); !taken) return std::unexpected(taken.error());
    }
    decoder->push(nullptr);
    if (auto taken = take_all(*decoder); !taken) return std::unexpected(taken.error());
    if (taken_ != static_cast<std::int64_t>(cut_.end - cut_.first))
      return bad_input("the pictures at the clip's edge are damaged");
    if (auto rest = encode(nullptr, false); !rest) return std::unexpected(rest.error());
    return finish();
  }

 private:
  bool is_steady() const {
    return std::ranges::all_of(frames_.subspan(cut_.first, cut_.end - cut_.first),
                               [&](const EdgeFrame& each) { return each.duration == ticks_; });
  }

  Result<void> take_all(Decoder& decoder) {
    av::Frame frame = av::make_frame();
    for (; decoder.pull(*frame); av_frame_unref(frame.get())) {
      std::int64_t pts = frame->best_effort_timestamp;
      if (pts < frames_[cut_.first].pts || pts > frames_[cut_.end - 1].pts) continue;
      if (!encoder_)
        if (auto opened = open(*frame); !opened) return opened;
      // Where the source begins a group, so do we: trick play and seeking go by them.
      bool is_key = taken_ == 0 || frame->key_frame != 0;
      if (auto encoded = encode(frame.get(), is_key); !encoded) return encoded;
    }
    return {};
  }

  Result<void> open(const AVFrame& frame) {
    BytesView record = head_of(of_.stream());
    if (!read_avcc(record)) return bad_input("the clip's source has no H.264 pictures");
    std::int64_t kbit_s = std::max(tuning_.bit_s_max / 1000, kbit_s_min);
    Rendition rendition{"", frame.width, frame.height, kbit_s, 1, record[3]};
    PicturePlan plan;
    plan.matrix = frame.colorspace;
    plan.primaries = frame.color_primaries;
    plan.transfer = frame.color_trc;
    AVRational rate = {};
    av_reduce(&rate.num, &rate.den, of_.stream().time_base.den, ticks_, INT32_MAX);
    H264Tuning tuning{.preset = tuning_.preset,
                      .crf = std::max(tuning_.crf - crf_step, 1.0),
                      .peak_to_average = 1,
                      .threads = tuning_.threads,
                      .no_delay = of_.reorder() == 0,
                      .profile = profile_of(record),
                      .full_range = frame.color_range == AVCOL_RANGE_JPEG};
    auto opened = H264Encoder::open(rendition, plan, {rate.num, rate.den}, tuning);
    if (!opened) return std::unexpected(opened.error());
    if (!std::ranges::equal(opened->track().extradata, record)) {
      auto id = free_set_id(*read_avcc(record));
      if (!id) return bad_input("the clip's source has too many H.264 parameter sets");
      tuning.set_id = *id;
      opened = H264Encoder::open(rendition, plan, {rate.num, rate.den}, tuning);
      if (!opened) return std::unexpected(opened.error());
    }
    encoder_ = std::move(*opened);
    return {};
  }

  Result<void> encode(const AVFrame* frame, bool is_key) {
    if (auto pushed = encoder_->push(frame, taken_, is_key); !pushed) return pushed;
    if (frame) ++taken_;
    while (true) {
      auto coded = encoder_->pull();
      if (!coded) return std::unexpected(coded.error());
      if (!*coded) return {};
      coded_.push_back(std::move(**coded));
    }
  }

  Result<EdgePictures> finish() {
    EdgePictures made{encoder_->track(), {}};
    BytesView source = head_of(of_.stream());
    if (!std::ranges::equal(made.track.extradata, source)) {
      auto both = joined(source, made.track.extradata);
      if (!both) return bad_input("the clip's source has too many H.264 parameter sets");
      made.track.extradata = std::move(*both);
    }
    made.track.timescale = of_.stream().time_base.den;
    std::int64_t begin = frames_[cut_.first].pts;
    // Decoding runs ahead as far as it does in the source, so that its times join too.
    std::int64_t own_reorder = (coded_.front().pts - coded_.front().dts) * ticks_;
    std::int64_t ahead = std::max(of_.reorder(), own_reorder) - own_reorder;
    for (H264Picture& picture : coded_)
      made.segment.samples.push_back({begin + picture.dts * ticks_ - ahead,
                                      begin + picture.pts * ticks_, ticks_, picture.idr,
                                      std::move(picture.data)});
    Sample& first = made.segment.samples.front();
    std::int64_t late = cut_.start - begin;
    first.dts += late;
    first.pts += late;
    first.duration -= late;
    std::int64_t whole = frames_[cut_.end - 1].end();
    made.segment.samples.back().duration -= whole - cut_.stop;
    made.segment.start = cut_.start;
    made.segment.duration = cut_.stop - cut_.start;
    return made;
  }

  const EdgeSegment& of_;
  const EdgeCut cut_;
  const EdgeTuning& tuning_;
  std::span<const EdgeFrame> frames_;
  std::int64_t ticks_ = 1;  // of a picture
  std::int64_t taken_ = 0;
  std::optional<H264Encoder> encoder_;
  std::vector<H264Picture> coded_;
};

}  // namespace

Result<EdgePictures> encode_edge(const EdgeSegment& of, const EdgeCut& cut,
                                 const SourceLimits& limits, const EdgeTuning& tuning) {
  return EdgeEncoding(of, cut, tuning).run(limits);
}

}  // namespace relay::transcoder
