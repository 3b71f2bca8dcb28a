#include "transcoder/boxes.hpp"

#include <cstdint>
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
constexpr std::uint64_t bytes_max = 1ull << 31;

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

RunShape shape_of(const std::vector<Sample>& samples) {
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
std::size_t write_trun(BoxWriter& out, const RunShape& shape, const std::vector<Sample>& samples) {
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

void write_moof(BoxWriter& out, const std::vector<Sample>& samples, std::int64_t sequence) {
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
  constexpr std::size_t mdat_head_bytes = 8;
  out.set_u32(offset_at, static_cast<std::uint32_t>(out.size() - moof + mdat_head_bytes));
}

std::unexpected<Error> broken(const TrackSpec& track, std::int64_t sequence, const char* rule) {
  return fail(ErrorKind::internal, ErrorSource::internal,
              "fragment " + std::to_string(sequence) + " of " + track.name + " " + rule);
}

Result<std::uint64_t> check(const TrackSpec& track, const std::vector<Sample>& samples,
                            std::int64_t sequence) {
  if (samples.empty()) return broken(track, sequence, "has no sample");
  std::uint64_t bytes = 0;
  std::int64_t next_dts = samples.front().dts;
  if (next_dts < 0) return broken(track, sequence, "begins before time 0");
  for (const Sample& sample : samples) {
    if (sample.dts != next_dts) return broken(track, sequence, "has a gap between its samples");
    if (sample.pts < sample.dts || sample.pts - sample.dts > INT32_MAX)
      return broken(track, sequence, "shows a sample before it is decoded, or far too late");
    if (sample.duration <= 0 || sample.duration > INT32_MAX)
      return broken(track, sequence, "has a sample without a duration");
    next_dts = sample.dts + sample.duration;
    bytes += sample.data.size();
  }
  if (bytes + 64 * samples.size() >= bytes_max)
    return fail(ErrorKind::too_large, ErrorSource::client,
                "a segment of " + track.name + " is larger than 2 GiB");
  return bytes;
}

std::string_view text_of(const std::vector<std::uint8_t>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

Result<SegmentBytes> build_fragment(const TrackSpec& track, const std::vector<Sample>& samples,
                                    std::int64_t sequence, bool begins_segment) {
  auto payload = check(track, samples, sequence);
  if (!payload) return std::unexpected(payload.error());
  if (begins_segment && !samples.front().sync)
    return broken(track, sequence, "begins a segment with no key frame");
  SegmentBytes built;
  built.bytes.reserve(*payload + 160 + 16 * samples.size());
  BoxWriter out(built.bytes);
  if (begins_segment) write_styp(out);
  write_moof(out, samples, sequence);
  std::size_t mdat = out.begin("mdat");
  out.set_u32(mdat, static_cast<std::uint32_t>(*payload + 8));
  DigestStream digest;
  digest.update(built.bytes);
  for (const Sample& sample : samples) {
    digest.update(text_of(sample.data));
    built.bytes += text_of(sample.data);
  }
  built.digest = digest.digest();
  return built;
}

Result<SegmentBytes> build_segment(const TrackSpec& track, const Segment& segment) {
  return build_fragment(track, segment.samples, segment.number + 1, true);
}

}  // namespace relay::transcoder
