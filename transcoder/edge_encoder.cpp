#include "transcoder/edge_encoder.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

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
      return FF_PROFILE_H264_BASELINE;  // x264's is the constrained one
    case FF_PROFILE_H264_MAIN:
      return FF_PROFILE_H264_MAIN;
    default:
      return FF_PROFILE_H264_HIGH;
  }
}

/// 0 where x264 has no such level and must choose, for a source may name any number.
int level_of(BytesView record) {
  constexpr int known[] = {9, 10, 11, 12, 13, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51, 52};
  int level = record[3];
  return std::ranges::binary_search(known, level) ? level : 0;
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

std::unexpected<Error> too_many_sets() {
  return bad_input("the clip's source has too many H.264 parameter sets");
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

Bytes bytes_of(const AVPacket& packet) {
  return {packet.data, packet.data + packet.size};
}

/// The picture is shown for the rest of its time only.
void begin_late(Sample& sample, std::int64_t ticks) {
  sample.dts += ticks;
  sample.pts += ticks;
  sample.duration -= ticks;
}

// One run of a cut, from its packets to new samples.
class RunEncoding {
 public:
  /// `set_id`: of the parameter sets; chosen by the first run that needs another than 0.
  RunEncoding(const EdgeSegment& of, const EdgeRun& run, const EdgeTuning& tuning, int& set_id)
      : of_(of), run_(run), tuning_(tuning), set_id_(set_id), frames_(of.frames().frames) {}

  Result<TrackSpec> run(const SourceLimits& limits, const StillAtWork& tell,
                        std::vector<Sample>& samples) {
    for (std::size_t i = run_.first; i < run_.end; ++i)
      ticks_ = std::max(ticks_, frames_[i].duration);
    if (!is_steady()) return bad_input("the pictures at the clip's edge come at no constant rate");
    auto decoder = Decoder::open(of_.stream(), limits, tuning_.threads);
    if (!decoder) return std::unexpected(decoder.error());
    auto [first, end] = packets();
    for (std::size_t i = first; i <= end; ++i) {
      decoder->push(i < end ? of_.packets()[i].get() : nullptr);
      auto taken = take_all(*decoder);
      if (taken && (i - first + 1) % still_at_work_pictures == 0) taken = tell();
      if (!taken) return std::unexpected(taken.error());
    }
    if (taken_ != run_.end - run_.first)
      return bad_input("the pictures at the clip's edge are damaged");
    if (auto rest = encode(nullptr, false); !rest) return std::unexpected(rest.error());
    finish(samples);
    return encoder_->track();
  }

 private:
  /// The outer ones may be what an earlier cut left of a picture.
  bool is_steady() const {
    for (std::size_t i = run_.first + 1; i + 1 < run_.end; ++i)
      if (frames_[i].duration != ticks_) return false;
    return true;
  }

  /// Of the groups that the run lies in.
  std::pair<std::size_t, std::size_t> packets() const {
    std::vector<std::size_t> keys = of_.keys();
    std::size_t first = *(std::ranges::upper_bound(keys, run_.first) - 1);
    auto behind = std::ranges::lower_bound(keys, run_.end);
    return {first, behind == keys.end() ? frames_.size() : *behind};
  }

  /// The encoder reads as much of each picture as it was opened for, whatever the frame has.
  bool fits(const AVFrame& frame) const {
    const AVCodecParameters& head = *of_.stream().codecpar;
    bool is_planar = frame.format == AV_PIX_FMT_YUV420P || frame.format == AV_PIX_FMT_YUVJ420P;
    return is_planar && frame.width == head.width && frame.height == head.height;
  }

  Result<void> take_all(Decoder& decoder) {
    av::Frame frame = av::make_frame();
    for (; decoder.pull(*frame); av_frame_unref(frame.get())) {
      std::int64_t pts = frame->best_effort_timestamp;
      if (pts < frames_[run_.first].pts || pts > frames_[run_.end - 1].pts) continue;
      if (!fits(*frame)) return bad_input("the pictures at the clip's edge change their kind");
      if (!encoder_)
        if (auto opened = open(*frame); !opened) return opened;
      // Where the source begins a group, so do we: trick play and seeking go by them.
      bool is_key = taken_ == 0 || frame->key_frame != 0;
      if (auto encoded = encode(frame.get(), is_key); !encoded) return encoded;
    }
    return {};
  }

  H264Tuning tuning_for(const AVFrame& frame) const {
    return {.preset = tuning_.preset,
            .crf = std::max(tuning_.crf - crf_step, 1.0),
            .peak_to_average = 1,
            .threads = tuning_.threads,
            .no_delay = of_.reorder() == 0,
            .profile = profile_of(head_of(of_.stream())),
            .set_id = set_id_,
            .full_range = frame.color_range == AVCOL_RANGE_JPEG};
  }

  Result<H264Encoder> opened_for(const AVFrame& frame) const {
    std::int64_t kbit_s = std::max(tuning_.bit_s_max / 1000, kbit_s_min);
    Rendition rendition{"", frame.width, frame.height, kbit_s, 1, level_of(head_of(of_.stream()))};
    PicturePlan plan;
    plan.matrix = frame.colorspace;
    plan.primaries = frame.color_primaries;
    plan.transfer = frame.color_trc;
    AVRational rate = {};
    av_reduce(&rate.num, &rate.den, of_.stream().time_base.den, ticks_, INT32_MAX);
    return H264Encoder::open(rendition, plan, {rate.num, rate.den}, tuning_for(frame));
  }

  Result<void> open(const AVFrame& frame) {
    auto sets = read_avcc(head_of(of_.stream()));
    if (!sets) return bad_input("the clip's source has no H.264 pictures");
    auto opened = opened_for(frame);
    if (!opened) return std::unexpected(opened.error());
    bool agrees = std::ranges::equal(opened->track().extradata, head_of(of_.stream()));
    if (!agrees && set_id_ == 0) {
      auto id = free_set_id(*sets);
      if (!id) return too_many_sets();
      set_id_ = *id;
      opened = opened_for(frame);
      if (!opened) return std::unexpected(opened.error());
    }
    encoder_ = std::move(*opened);
    return {};
  }

  Result<void> encode(const AVFrame* frame, bool is_key) {
    auto index = static_cast<std::int64_t>(taken_);
    if (auto pushed = encoder_->push(frame, index, is_key); !pushed) return pushed;
    if (frame) ++taken_;
    while (true) {
      auto coded = encoder_->pull();
      if (!coded) return std::unexpected(coded.error());
      if (!*coded) return {};
      coded_.push_back(std::move(**coded));
    }
  }

  void finish(std::vector<Sample>& samples) {
    std::int64_t begin = frames_[run_.first].end() - ticks_;
    std::size_t before = samples.size();
    // Decoding runs ahead as far as it does in the source, so that its times join too.
    std::int64_t own_reorder = (coded_.front().pts - coded_.front().dts) * ticks_;
    std::int64_t ahead = std::max(of_.reorder(), own_reorder) - own_reorder;
    for (H264Picture& picture : coded_)
      samples.push_back({begin + picture.dts * ticks_ - ahead, begin + picture.pts * ticks_, ticks_,
                         picture.idr, std::move(picture.data)});
    begin_late(samples[before], frames_[run_.first].pts - begin);
    if (run_.end - run_.first > 1)
      samples.back().duration -= ticks_ - frames_[run_.end - 1].duration;
  }

  const EdgeSegment& of_;
  const EdgeRun run_;
  const EdgeTuning& tuning_;
  int& set_id_;
  std::span<const EdgeFrame> frames_;
  std::int64_t ticks_ = 1;  // of a picture
  std::size_t taken_ = 0;
  std::optional<H264Encoder> encoder_;
  std::vector<H264Picture> coded_;
};

void copy(const EdgeSegment& of, const EdgeRun& run, std::vector<Sample>& samples) {
  for (std::size_t i = run.first; i < run.end; ++i) {
    const AVPacket& packet = *of.packets()[i];
    bool is_key = (packet.flags & AV_PKT_FLAG_KEY) != 0;
    samples.push_back({packet.dts, packet.pts, packet.duration, is_key, bytes_of(packet)});
  }
}

/// The outer pictures are shown from `cut.start` and to `cut.stop` only.
void trim(const EdgeFrames& frames, const EdgeCut& cut, std::vector<Sample>& samples) {
  begin_late(samples.front(), cut.start - frames.frames[cut.first].pts);
  samples.back().duration -= frames.frames[cut.end - 1].end() - cut.stop;
}

}  // namespace

Result<EdgePictures> encode_edge(const EdgeSegment& of, const EdgeCut& cut,
                                 const SourceLimits& limits, const EdgeTuning& tuning,
                                 const StillAtWork& tell) {
  BytesView source = head_of(of.stream());
  EdgePictures made;
  made.track = {.timescale = of.stream().time_base.den,
                .extradata = Bytes(source.begin(), source.end()),
                .width = of.stream().codecpar->width,
                .height = of.stream().codecpar->height};
  std::vector<Sample>& samples = made.segment.samples;
  int set_id = 0;
  for (const EdgeRun& run : runs_of(of.frames(), cut, of.keys())) {
    if (run.whole) {
      copy(of, run, samples);
      continue;
    }
    auto track = RunEncoding(of, run, tuning, set_id).run(limits, tell, samples);
    if (!track) return std::unexpected(track.error());
    auto both = joined(made.track.extradata, track->extradata);
    if (!both) return too_many_sets();
    made.track.extradata = std::move(*both);
  }
  trim(of.frames(), cut, samples);
  made.segment.start = cut.start;
  made.segment.duration = cut.stop - cut.start;
  return made;
}

}  // namespace relay::transcoder
