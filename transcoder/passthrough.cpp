#include "transcoder/passthrough.hpp"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <utility>

#include "common/base/log.hpp"
#include "transcoder/captions.hpp"
#include "transcoder/frame_rate.hpp"

namespace relay::transcoder {

namespace {

constexpr int level_max = 42;
constexpr std::int64_t second_in_ns = 1'000'000'000;
constexpr std::int64_t steady_tolerance_ns = 1'100'000;  // times may be rounded to milliseconds
constexpr std::int64_t sound_tail_max_ns = second_in_ns;
constexpr std::size_t indexed_packets_max = 24 * 3600 * 60;

// The NAL units of one packet, whichever form the container uses.
class UnitReader {
 public:
  explicit UnitReader(const AVStream& stream) {
    BytesView record(stream.codecpar->extradata,
                     static_cast<std::size_t>(stream.codecpar->extradata_size));
    if (auto avcc = read_avcc(record)) {
      length_bytes_ = avcc->length_bytes;
      sets_ = avcc->sequence_sets;
      sets_.insert(sets_.end(), avcc->picture_sets.begin(), avcc->picture_sets.end());
    } else {
      sets_ = split_annex_b(record);
    }
  }
  std::optional<std::vector<BytesView>> read(const AVPacket& packet) const {
    BytesView data(packet.data, static_cast<std::size_t>(packet.size));
    return length_bytes_ ? split_lengths(data, length_bytes_) : split_annex_b(data);
  }
  std::optional<Bytes> record() const { return make_avcc(sets_); }
  /// Whether every parameter set among `units` is one that the head has too.
  bool same_sets(const std::vector<BytesView>& units) const {
    return std::ranges::all_of(units, [&](BytesView unit) {
      if (unit_type(unit) != unit_sequence_set && unit_type(unit) != unit_picture_set) return true;
      return std::ranges::any_of(sets_,
                                 [&](BytesView set) { return std::ranges::equal(set, unit); });
    });
  }

 private:
  int length_bytes_ = 0;  // 0: Annex B
  std::vector<BytesView> sets_;
};

class Scan {
 public:
  Scan(Demuxer& demuxer, const SourceFacts& facts, const Encoding& encoding)
      : demuxer_(demuxer), facts_(facts), encoding_(encoding), units_(*demuxer.video()) {}

  Result<std::optional<CopyPlan>> run() {
    av::Packet packet = av::make_packet();
    for (;;) {
      auto more = demuxer_.next(*packet);
      if (!more) return std::unexpected(more.error());
      if (!*more) break;
      if (packet->stream_index == demuxer_.video()->index)
        look_at_picture(*packet);
      else
        look_at_sound(*packet);
      if (why_not_) break;
    }
    CopyPlan plan;
    if (!why_not_) plan = conclude();
    if (why_not_) {
      log::info("source is not published as it is", {log::kv("reason", why_not_)});
      return std::nullopt;
    }
    return plan;
  }

 private:
  void look_at_picture(const AVPacket& packet) {
    if (packet.pts == AV_NOPTS_VALUE) return no("a packet has no time");
    if (packet.flags & (AV_PKT_FLAG_DISCARD | AV_PKT_FLAG_CORRUPT))
      return no("it begins before its first key frame or is damaged");
    if (av_packet_get_side_data(&packet, AV_PKT_DATA_NEW_EXTRADATA, nullptr))
      return no("its parameters change");
    auto units = units_.read(packet);
    if (!units || units->empty()) return no("a packet is damaged");
    if (!units_.same_sets(*units)) return no("its parameters change");
    if (has_idr(*units)) key_packets_.push_back(times_.size());
    times_.push_back(av::to_nanoseconds(packet.pts, demuxer_.video()->time_base));
    sizes_.push_back(packet.size);
    if (times_.size() > indexed_packets_max) no("it is too long");
  }

  void look_at_sound(const AVPacket& packet) {
    if (packet.pts == AV_NOPTS_VALUE) return;
    sound_end_ = std::max(
        sound_end_, av::to_nanoseconds(packet.pts + packet.duration, demuxer_.audio()->time_base));
  }

  CopyPlan conclude() {
    CopyPlan plan;
    if (times_.empty() || key_packets_.empty() || key_packets_[0] != 0)
      return no("the first picture is not a key frame"), plan;
    rank(plan);
    if (why_not_) return plan;
    Fraction rate = facts_.picture.frame_rate;
    plan.frames = static_cast<std::int64_t>(times_.size());
    if (sound_end_ > times_[0] + time_of_frame(plan.frames, rate) + sound_tail_max_ns)
      return no("its sound is longer than its picture"), plan;
    if (!Chunker::fits(rate, plan.keys, plan.frames))
      return no("its key frames are too far apart"), plan;
    if (heaviest_bit_s(plan) > encoding_.passthrough_mbit_s_max * 1e6)
      return no("it has too many bits a second"), plan;
    describe(plan);
    return plan;
  }

  // Frame numbers by presentation time; refuses what is not steady or whose groups are open.
  void rank(CopyPlan& plan) {
    std::vector<std::size_t> order(times_.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::sort(order, {}, [&](std::size_t i) { return times_[i]; });
    std::vector<std::int64_t> sorted;
    plan.ranks.resize(times_.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      plan.ranks[order[i]] = static_cast<std::int64_t>(i);
      plan.reorder = std::max(plan.reorder,
                              static_cast<std::int64_t>(order[i]) - static_cast<std::int64_t>(i));
      sorted.push_back(times_[order[i]]);
    }
    if (!is_steady(sorted, facts_.picture.frame_rate, steady_tolerance_ns))
      return no("its frame rate is not constant");
    if (std::abs(sorted[0] - facts_.zero_ns) > steady_tolerance_ns)
      return no("its sound begins before its picture");
    for (std::size_t packet : key_packets_) {
      if (plan.ranks[packet] != static_cast<std::int64_t>(packet))
        return no("its groups of pictures are open");
      plan.keys.push_back(plan.ranks[packet]);
    }
  }

  double heaviest_bit_s(const CopyPlan& plan) const {
    Chunker chunker = Chunker::at_keys(facts_.picture.frame_rate, plan.keys, plan.frames);
    double heaviest = 0;
    for (std::int64_t segment = 0, begin = 0; begin < plan.frames; ++segment) {
      std::int64_t end = std::min(chunker.first_frame(segment + 1), plan.frames);
      auto bytes = std::accumulate(sizes_.begin() + begin, sizes_.begin() + end, std::int64_t{0});
      double seconds = std::max(1.0, static_cast<double>(end - begin) / chunker.rate().value());
      heaviest = std::max(heaviest, static_cast<double>(bytes) * 8 / seconds);
      begin = end;
    }
    return heaviest;
  }

  void describe(CopyPlan& plan) {
    auto record = units_.record();
    if (!record) return no("its parameters are missing");
    // Of two, the second may be of another size, profile or level than the head's facts.
    auto sets = read_avcc(*record);
    if (!sets || sets->sequence_sets.size() > 1)
      return no("it has several sequence parameter sets");
    plan.track.name = "source";
    plan.track.codec = Codec::h264;
    plan.track.frame_rate = facts_.picture.frame_rate;
    plan.track.timescale = timescale_for(plan.track.frame_rate);
    plan.track.extradata = std::move(*record);
    plan.track.width = facts_.picture.width;
    plan.track.height = facts_.picture.height;
  }

  void no(const char* why) {
    if (!why_not_) why_not_ = why;
  }

  Demuxer& demuxer_;
  const SourceFacts& facts_;
  const Encoding& encoding_;
  UnitReader units_;
  const char* why_not_ = nullptr;
  std::vector<std::int64_t> times_, sizes_;  // in decode order
  std::vector<std::size_t> key_packets_;
  std::int64_t sound_end_ = INT64_MIN;
};

Segment close(std::vector<Sample>& samples, std::int64_t number, int track, bool last) {
  Segment segment;
  segment.track = track;
  segment.number = number;
  segment.start = samples.front().pts;
  segment.duration = samples.front().duration * static_cast<std::int64_t>(samples.size());
  segment.last = last;
  segment.samples = std::exchange(samples, {});
  return segment;
}

}  // namespace

bool may_copy(const AVStream& stream, const SourceFacts& facts) {
  const AVCodecParameters& head = *stream.codecpar;
  bool profile = head.profile == FF_PROFILE_H264_CONSTRAINED_BASELINE ||
                 head.profile == FF_PROFILE_H264_MAIN || head.profile == FF_PROFILE_H264_HIGH;
  return head.codec_id == AV_CODEC_ID_H264 && profile &&
         (head.format == AV_PIX_FMT_YUV420P || head.format == AV_PIX_FMT_YUVJ420P) &&
         head.level > 0 && head.level <= level_max && !facts.interlaced &&
         facts.picture.turn.empty() && !facts.picture.to_sdr && facts.picture.width == head.width &&
         facts.picture.height == head.height && head.width % 2 == 0 && head.height % 2 == 0 &&
         head.width >= 16 && head.height >= 16;
}

Result<std::optional<CopyPlan>> plan_copy(Demuxer& demuxer, const SourceFacts& facts,
                                          const Encoding& encoding) {
  return Scan(demuxer, facts, encoding).run();
}

Result<void> copy(Demuxer& demuxer, const CopyPlan& plan, const Chunker& chunker,
                  Delivery& delivery, int track, std::int64_t first_segment) {
  UnitReader units(*demuxer.video());
  const TrackSpec& spec = plan.track;
  std::int64_t ticks = spec.timescale * spec.frame_rate.denominator / spec.frame_rate.numerator;
  std::int64_t base = presentation_base_s * spec.timescale;
  std::vector<Sample> samples;
  std::int64_t number = 0, index = 0;
  auto hand_over = [&](bool last) {
    Segment segment = close(samples, number++, track, last);
    if (segment.number >= first_segment) delivery.deliver(std::move(segment));
  };
  av::Packet packet = av::make_packet();
  while (index < plan.frames) {
    auto more = demuxer.next(*packet);
    if (!more) return std::unexpected(more.error());
    if (!*more)
      return fail(ErrorKind::corrupt, ErrorSource::disk, "the source became shorter", true);
    if (packet->stream_index != demuxer.video()->index) continue;
    auto found = units.read(*packet);
    if (!found) return fail(ErrorKind::corrupt, ErrorSource::disk, "the source changed", true);
    std::int64_t rank = plan.ranks[static_cast<std::size_t>(index)];
    delivery.captions(caption_channels(captions_of(*found)));
    bool sync = has_idr(*found);
    if (sync && !samples.empty() && chunker.is_cut(rank)) hand_over(false);
    samples.push_back({base + (index - plan.reorder) * ticks, base + rank * ticks, ticks, sync,
                       to_sample(*found)});
    ++index;
  }
  hand_over(true);
  return {};
}

}  // namespace relay::transcoder
