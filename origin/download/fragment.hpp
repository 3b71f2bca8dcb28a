// What the moof of one CMAF fragment says of its samples (14496-12 8.8). Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"

namespace relay::origin::download {

struct Sample {
  std::uint32_t bytes = 0;
  std::uint32_t duration = 0;    // in the track's timescale
  std::int32_t composition = 0;  // shown so long after it is decoded
  bool sync = true;
};

struct Fragment {
  std::uint64_t decode_time = 0;  // of the first sample
  std::uint64_t data_offset = 0;  // of the first sample, from the moof's begin
  std::vector<Sample> samples;

  std::uint64_t bytes() const;
  std::uint64_t duration() const;
};

/// One track, one run, offsets from the moof: as our packager writes them. Errors: corrupt.
Result<Fragment> read_fragment(std::string_view moof);

}  // namespace relay::origin::download
