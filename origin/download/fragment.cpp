#include "origin/download/fragment.hpp"

#include <optional>

#include "origin/download/box.hpp"

namespace relay::origin::download {
namespace {

// Flags of tfhd (8.8.7) and trun (8.8.8), and of a sample (8.8.3.1).
constexpr std::uint32_t tfhd_base_offset = 0x000001;
constexpr std::uint32_t tfhd_description = 0x000002;
constexpr std::uint32_t tfhd_duration = 0x000008;
constexpr std::uint32_t tfhd_size = 0x000010;
constexpr std::uint32_t tfhd_flags = 0x000020;
constexpr std::uint32_t trun_offset = 0x000001;
constexpr std::uint32_t trun_first_flags = 0x000004;
constexpr std::uint32_t trun_duration = 0x000100;
constexpr std::uint32_t trun_size = 0x000200;
constexpr std::uint32_t trun_flags = 0x000400;
constexpr std::uint32_t trun_composition = 0x000800;
constexpr std::uint32_t sample_is_not_sync = 0x00010000;

constexpr std::uint32_t flags_mask = 0xffffff;
constexpr std::uint32_t samples_max = 1'000'000;

struct Defaults {
  std::uint32_t duration = 0, size = 0, flags = 0;
};

std::unexpected<Error> broken(const char* what) {
  return fail(ErrorKind::corrupt, ErrorSource::disk,
              std::string("a stored segment can't be read: ") + what);
}

Result<Defaults> read_tfhd(std::string_view payload) {
  Fields fields(payload);
  std::uint32_t flags = fields.u32() & flags_mask;
  fields.u32();  // track
  if (flags & tfhd_base_offset) return broken("its offsets are not of its moof");
  if (flags & tfhd_description) fields.u32();
  Defaults defaults;
  if (flags & tfhd_duration) defaults.duration = fields.u32();
  if (flags & tfhd_size) defaults.size = fields.u32();
  if (flags & tfhd_flags) defaults.flags = fields.u32();
  if (fields.broken()) return broken("tfhd is cut off");
  return defaults;
}

Result<void> read_trun(std::string_view payload, const Defaults& defaults, Fragment& into) {
  Fields fields(payload);
  std::uint32_t flags = fields.u32() & flags_mask;
  std::uint32_t count = fields.u32();
  if (count > samples_max) return broken("too many samples");
  if (!(flags & trun_offset)) return broken("trun has no data offset");
  into.data_offset = fields.u32();
  std::optional<std::uint32_t> first_flags;
  if (flags & trun_first_flags) first_flags = fields.u32();
  into.samples.reserve(count);
  for (std::uint32_t i = 0; i < count && !fields.broken(); ++i) {
    Sample& sample = into.samples.emplace_back();
    sample.duration = flags & trun_duration ? fields.u32() : defaults.duration;
    sample.bytes = flags & trun_size ? fields.u32() : defaults.size;
    std::uint32_t sample_flags = flags & trun_flags ? fields.u32() : defaults.flags;
    if (i == 0 && first_flags) sample_flags = *first_flags;
    sample.sync = !(sample_flags & sample_is_not_sync);
    if (flags & trun_composition) sample.composition = static_cast<std::int32_t>(fields.u32());
  }
  if (fields.broken() || into.samples.empty()) return broken("trun is cut off or empty");
  return {};
}

}  // namespace

std::uint64_t Fragment::bytes() const {
  std::uint64_t sum = 0;
  for (const Sample& each : samples) sum += each.bytes;
  return sum;
}

std::uint64_t Fragment::duration() const {
  std::uint64_t sum = 0;
  for (const Sample& each : samples) sum += each.duration;
  return sum;
}

Result<Fragment> read_fragment(std::string_view moof) {
  auto tfhd = find_box(moof, "moof/traf/tfhd");
  auto tfdt = find_box(moof, "moof/traf/tfdt");
  auto trun = find_box(moof, "moof/traf/trun");
  if (!tfhd || !tfdt || !trun) return broken("its moof lacks a box");
  auto defaults = read_tfhd(tfhd->payload);
  if (!defaults) return std::unexpected(defaults.error());
  Fragment fragment;
  Fields time(tfdt->payload);
  bool is_long = time.u32() >> 24 == 1;
  fragment.decode_time = is_long ? time.u64() : time.u32();
  if (time.broken()) return broken("tfdt is cut off");
  if (auto read = read_trun(trun->payload, *defaults, fragment); !read)
    return std::unexpected(read.error());
  return fragment;
}

}  // namespace relay::origin::download
