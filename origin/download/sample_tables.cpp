#include "origin/download/sample_tables.hpp"

#include <algorithm>
#include <limits>

namespace relay::origin::download {

void SampleTables::add_to(std::vector<Run>& runs, std::uint32_t value) {
  if (runs.empty() || runs.back().value != value)
    runs.push_back({1, value});
  else
    ++runs.back().count;
}

void SampleTables::lengthen_last(std::uint64_t ticks) {
  Run& last = durations_.back();
  std::uint64_t longer =
      std::min<std::uint64_t>(last.value + ticks, std::numeric_limits<std::int32_t>::max());
  if (--last.count == 0) durations_.pop_back();
  add_to(durations_, static_cast<std::uint32_t>(longer));
}

void SampleTables::add(const Fragment& fragment, std::uint32_t description) {
  if (sizes_.empty()) {
    first_decode_time_ = fragment.decode_time;
    first_composition_ = fragment.samples.front().composition;
  }
  std::uint64_t expected = first_decode_time_ + duration_;
  if (fragment.decode_time > expected) {
    lengthen_last(fragment.decode_time - expected);
    duration_ += fragment.decode_time - expected;
  }
  for (const Sample& sample : fragment.samples) {
    sizes_.push_back(sample.bytes);
    add_to(durations_, sample.duration);
    add_to(compositions_, static_cast<std::uint32_t>(sample.composition));
    if (sample.sync) syncs_.push_back(static_cast<std::uint32_t>(sizes_.size()));
    duration_ += sample.duration;
  }
  ++chunks_;
  auto count = static_cast<std::uint32_t>(fragment.samples.size());
  bool is_same = !chunk_runs_.empty() && chunk_runs_.back().samples == count &&
                 chunk_runs_.back().description == description;
  if (!is_same) chunk_runs_.push_back({chunks_, count, description});
}

void SampleTables::write_runs(BoxWriter& out, std::string_view type, std::uint8_t version,
                              const std::vector<Run>& runs) {
  auto box = out.begin_full(type, version, 0);
  out.u32(static_cast<std::uint32_t>(runs.size()));
  for (const Run& run : runs) {
    out.u32(run.count);
    out.u32(run.value);
  }
}

void SampleTables::write_sync(BoxWriter& out) const {
  if (syncs_.size() == sizes_.size()) return;  // without stss all are
  auto box = out.begin_full("stss", 0, 0);
  out.u32(static_cast<std::uint32_t>(syncs_.size()));
  for (std::uint32_t sample : syncs_) out.u32(sample);
}

void SampleTables::write_chunks(BoxWriter& out, const std::vector<std::uint64_t>& offsets) const {
  {
    auto stsc = out.begin_full("stsc", 0, 0);
    out.u32(static_cast<std::uint32_t>(chunk_runs_.size()));
    for (const ChunkRun& run : chunk_runs_) {
      out.u32(run.first);
      out.u32(run.samples);
      out.u32(run.description + 1);
    }
  }
  {
    auto stsz = out.begin_full("stsz", 0, 0);
    out.u32(0);  // they differ
    out.u32(static_cast<std::uint32_t>(sizes_.size()));
    for (std::uint32_t size : sizes_) out.u32(size);
  }
  auto co64 = out.begin_full("co64", 0, 0);
  out.u32(static_cast<std::uint32_t>(offsets.size()));
  for (std::uint64_t offset : offsets) out.u64(offset);
}

void SampleTables::write(BoxWriter& out, std::string_view descriptions,
                         std::uint32_t description_count,
                         const std::vector<std::uint64_t>& offsets) const {
  auto stbl = out.begin("stbl");
  {
    auto stsd = out.begin_full("stsd", 0, 0);
    out.u32(description_count);
    out.bytes(descriptions);
  }
  write_runs(out, "stts", 0, durations_);
  bool is_plain = compositions_.size() == 1 && compositions_.front().value == 0;
  if (!is_plain) write_runs(out, "ctts", 1, compositions_);
  write_sync(out);
  write_chunks(out, offsets);
}

}  // namespace relay::origin::download
