// The sample tables of one track (14496-12 8.5, 8.6, 8.7), grown chunk by chunk. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "origin/download/box.hpp"
#include "origin/download/fragment.hpp"

namespace relay::origin::download {

class SampleTables {
 public:
  /// `description` counts from 0. Chunks come in the order of their times.
  void add(const Fragment& fragment, std::uint32_t description);

  std::uint64_t first_decode_time() const { return first_decode_time_; }
  std::uint64_t duration() const { return duration_; }
  std::int32_t first_composition() const { return first_composition_; }
  std::size_t samples() const { return sizes_.size(); }

  /// stbl: `descriptions` are the entries of stsd, one after another; `offsets` one for each chunk.
  void write(BoxWriter& out, std::string_view descriptions, std::uint32_t description_count,
             const std::vector<std::uint64_t>& offsets) const;

 private:
  struct Run {
    std::uint32_t count, value;
  };
  struct ChunkRun {
    std::uint32_t first, samples, description;
  };
  static void add_to(std::vector<Run>& runs, std::uint32_t value);
  void lengthen_last(std::uint64_t ticks);
  static void write_runs(BoxWriter& out, std::string_view type, std::uint8_t version,
                         const std::vector<Run>& runs);
  void write_sync(BoxWriter& out) const;
  void write_chunks(BoxWriter& out, const std::vector<std::uint64_t>& offsets) const;

  std::uint64_t first_decode_time_ = 0, duration_ = 0;
  std::int32_t first_composition_ = 0;
  std::uint32_t chunks_ = 0;
  std::vector<Run> durations_, compositions_;
  std::vector<std::uint32_t> sizes_, syncs_;
  std::vector<ChunkRun> chunk_runs_;
};

}  // namespace relay::origin::download
