#include "transcoder/boxes.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>

namespace relay::transcoder {
namespace {

// tfhd (14496-12 8.8.7) and trun (8.8.8) flags.
constexpr std::uint32_t tfhd_default_duration = 0x000008;
constexpr std::uint32_t tfhd_default_flags = 0x000020;
constexpr std::uint32_t tfhd_default_base_is_moof = 0x020000;
constexpr std::uint32_t trun_data_offset = 0x000001;
constexpr std::uint32_t trun_duration = 0x000100;
constexpr std::uint32_t trun_size = 0x000200;
constexpr std::uint32_t trun_flags = 0x000400;
constexpr std::uint32_t trun_composition = 0x000800;

// Sample flags (8.8.3.1): depends on no other sample; depends on others and is not a sync sample.
constexpr std::uint32_t sample_is_sync = 0x02000000;
constexpr std::uint32_t sample_is_not_sync = 0x01010000;

constexpr std::uint32_t track_id = 1;
constexpr std::uint64_t box_bytes_max = 1ull << 31;
constexpr std::size_t mdat_head_bytes = 8;

// mfhd's sequence number grows from fragment to fragment; there are never more in a piece.
constexpr std::int64_t fragments_max = 2 * media::key_pictures_max;

using Samples = std::span<const Sample>;

// Appends big-endian integers and boxes whose size is known only at their end.
class BoxWriter {
 public:
  explicit BoxWriter(std::string& out) : out_(out) {}
  void u32(std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) out_ += static_cast<char>(value >> shift);
  }
  void u64(std::uint64_t value) {
    u32(static_cast<std::uint32_t>(value >> 32));
    u32(static_cast<std::uint32_t>(value));
  }
  void text(std::string_view characters) { out_ += characters; }
  std::size_t begin(std::string_view type) {
    std::size_t at = out_.size();
    u32(0);
    text(type);
    return at;
  }
  std::size_t begin_full(std::string_view type, std::uint32_t version, std::uint32_t flags) {
    std::size_t at = begin(type);
    u32(version << 24 | flags);
    return at;
  }
  void end(std::size_t at) { set_u32(at, static_cast<std::uint32_t>(out_.size() - at)); }
  void set_u32(std::size_t at, std::uint32_t value) {
    for (int i = 0; i < 4; ++i) out_[at + i] = static_cast<char>(value >> (24 - 8 * i));
  }
  std::size_t size() const { return out_.size(); }

 private:
  std::string& out_;
};

// Which fields vary from sample to sample; the others stand once in tfhd or not at all.
struct RunShape {
  bool durations_vary = false;
  bool flags_vary = false;
  bool has_composition = false;
};

RunShape shape_of(Samples samples) {
  RunShape shape;
  for (const Sample& sample : samples) {
    shape.durations_vary |= sample.duration != samples.front().duration;
    shape.flags_vary |= sample.sync != samples.front().sync;
    shape.has_composition |= sample.pts != sample.dts;
  }
  return shape;
}

std::uint32_t flags_of(const Sample& sample) {
  return sample.sync ? sample_is_sync : sample_is_not_sync;
}

void write_styp(BoxWriter& out) {
  std::size_t styp = out.begin("styp");
  out.text("msdh");  // major brand
  out.u32(0);        // its version
  out.text("msdhcmfs");
  out.end(styp);
}

void write_tfhd(BoxWriter& out, const RunShape& shape, const Sample& first) {
  std::uint32_t flags = tfhd_default_base_is_moof;
  if (!shape.durations_vary) flags |= tfhd_default_duration;
  if (!shape.flags_vary) flags |= tfhd_default_flags;
  std::size_t tfhd = out.begin_full("tfhd", 0, flags);
  out.u32(track_id);
  if (!shape.durations_vary) out.u32(static_cast<std::uint32_t>(first.duration));
  if (!shape.flags_vary) out.u32(flags_of(first));
  out.end(tfhd);
}

// Returns where the data offset stands, to be set when moof is complete.
std::size_t write_trun(BoxWriter& out, const RunShape& shape, Samples samples) {
  std::uint32_t flags = trun_data_offset | trun_size;
  if (shape.durations_vary) flags |= trun_duration;
  if (shape.flags_vary) flags |= trun_flags;
  if (shape.has_composition) flags |= trun_composition;
  std::size_t trun = out.begin_full("trun", 1, flags);
  out.u32(static_cast<std::uint32_t>(samples.size()));
  std::size_t offset_at = out.size();
  out.u32(0);
  for (const Sample& sample : samples) {
    if (shape.durations_vary) out.u32(static_cast<std::uint32_t>(sample.duration));
    out.u32(static_cast<std::uint32_t>(sample.data.size()));
    if (shape.flags_vary) out.u32(flags_of(sample));
    if (shape.has_composition) out.u32(static_cast<std::uint32_t>(sample.pts - sample.dts));
  }
  out.end(trun);
  return offset_at;
}

void write_moof(BoxWriter& out, Samples samples, std::int64_t sequence) {
  RunShape shape = shape_of(samples);
  std::size_t moof = out.begin("moof");
  std::size_t mfhd = out.begin_full("mfhd", 0, 0);
  out.u32(static_cast<std::uint32_t>(sequence));
  out.end(mfhd);
  std::size_t traf = out.begin("traf");
  write_tfhd(out, shape, samples.front());
  std::size_t tfdt = out.begin_full("tfdt", 1, 0);
  out.u64(static_cast<std::uint64_t>(samples.front().dts));
  out.end(tfdt);
  std::size_t offset_at = write_trun(out, shape, samples);
  out.end(traf);
  out.end(moof);
  out.set_u32(offset_at, static_cast<std::uint32_t>(out.size() - moof + mdat_head_bytes));
}

std::unexpected<Error> broken(const TrackSpec& track, std::int64_t number, const char* rule) {
  return fail(ErrorKind::internal, ErrorSource::internal,
              "piece " + std::to_string(number) + " of " + track.name + " " + rule);
}

Result<std::uint64_t> check(const TrackSpec& track, Samples samples, std::int64_t number) {
  if (samples.empty()) return broken(track, number, "has no sample");
  std::uint64_t bytes = 0;
  std::int64_t next_dts = samples.front().dts;
  if (next_dts < 0) return broken(track, number, "begins before time 0");
  for (const Sample& sample : samples) {
    if (sample.dts != next_dts) return broken(track, number, "has a gap between its samples");
    if (sample.pts < sample.dts || sample.pts - sample.dts > INT32_MAX)
      return broken(track, number, "shows a sample before it is decoded, or far too late");
    if (sample.duration <= 0 || sample.duration > INT32_MAX)
      return broken(track, number, "has a sample without a duration");
    next_dts = sample.dts + sample.duration;
    bytes += sample.data.size();
  }
  if (bytes + 64 * samples.size() >= box_bytes_max)
    return fail(ErrorKind::too_large, ErrorSource::client,
                "a segment of " + track.name + " is larger than 2 GiB");
  return bytes;
}

std::string_view text_of(const std::vector<std::uint8_t>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void append_fragment(SegmentBytes& built, DigestStream& digest, Samples samples,
                     std::int64_t sequence) {
  std::size_t begin = built.bytes.size();
  BoxWriter out(built.bytes);
  write_moof(out, samples, sequence);
  std::size_t mdat = out.begin("mdat");
  std::uint64_t payload = 0;
  for (const Sample& sample : samples) payload += sample.data.size();
  out.set_u32(mdat, static_cast<std::uint32_t>(payload + mdat_head_bytes));
  digest.update(std::string_view(built.bytes).substr(begin));
  for (const Sample& sample : samples) {
    digest.update(text_of(sample.data));
    built.bytes += text_of(sample.data);
  }
}

// Pictures to be had alone: a second apart at least, for a source may be all key pictures.
bool is_apart(const std::vector<media::KeyPicture>& keys, std::int64_t microseconds) {
  constexpr std::int64_t apart_us = 1'000'000;
  if (keys.empty()) return true;
  return keys.size() < media::key_pictures_max &&
         microseconds - keys.back().microseconds >= apart_us;
}

}  // namespace

Result<SegmentBytes> build_part(const TrackSpec& track, const std::vector<Sample>& samples,
                                std::int64_t number, bool begins_segment) {
  auto payload = check(track, samples, number);
  if (!payload) return std::unexpected(payload.error());
  if (begins_segment && !samples.front().sync)
    return broken(track, number, "begins a segment with no key frame");
  SegmentBytes built;
  built.bytes.reserve(*payload + 320 + 16 * samples.size());
  BoxWriter out(built.bytes);
  if (begins_segment) write_styp(out);
  DigestStream digest;
  digest.update(built.bytes);
  auto microseconds_of = [&](const Sample& sample) {
    return (sample.dts - samples.front().dts) * 1'000'000 / track.timescale;
  };
  auto stands_alone = [&](const Sample& sample) {
    return track.video() && sample.sync && is_apart(built.keys, microseconds_of(sample));
  };
  std::int64_t sequence = number * fragments_max;
  for (Samples left = samples; !left.empty();) {
    bool is_key = stands_alone(left.front());
    auto next = is_key ? left.begin() + 1 : std::ranges::find_if(left, stands_alone);
    std::size_t begin = built.bytes.size();
    append_fragment(built, digest, Samples(left.begin(), next), ++sequence);
    if (is_key)
      built.keys.push_back({begin, built.bytes.size() - begin, microseconds_of(left.front())});
    left = Samples(next, left.end());
  }
  built.digest = digest.digest();
  return built;
}

Result<SegmentBytes> build_segment(const TrackSpec& track, const Segment& segment) {
  return build_part(track, segment.samples, segment.number, true);
}

}  // namespace relay::transcoder
