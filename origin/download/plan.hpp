// A progressive MP4 made of CMAF segments that stay where they are: its head (ftyp, moov, the
// mdat's) in memory, and which piece of which file stands at which offset behind it. Pure.
//
// The sample tables are those of the segments' moofs; coded bytes are neither looked at nor copied.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/base/error.hpp"
#include "origin/download/fragment.hpp"

namespace relay::origin::download {

/// Of a track: 48 hours of 50 pictures a second. A table entry each is in memory.
inline constexpr std::size_t samples_max = 9'000'000;
/// A track would have more.
std::unexpected<Error> too_long();

/// A fragment and where it lies.
struct Chunk {
  std::size_t file = 0;      // which one, as the caller counts them
  std::uint64_t offset = 0;  // of the moof in it
  std::size_t init = 0;      // of Track::inits
  Fragment fragment;
};

struct Track {
  std::vector<std::string> inits;  // whole init segments; the first one names timescale and kind
  std::vector<Chunk> chunks;       // in the order of their times
};

/// Bytes of a file, at `at` of the whole.
struct Piece {
  std::uint64_t at = 0;
  std::size_t file = 0;
  std::uint64_t offset = 0, length = 0;
};

struct Plan {
  std::string head;
  std::vector<Piece> pieces;  // behind the head, without holes
  std::uint64_t length = 0;   // of the whole
};

/// What of the tracks is shown, from the begin of the first one on.
struct Shown {
  std::uint64_t skip_us = 0;
  std::optional<std::uint64_t> us;  // nullopt: to the end
};

/// Tracks are shown together from the first one's begin (and `shown`): what begins later waits.
/// What is only needed for decoding is hidden by an edit list (14496-12 8.6.6), what is not needed
/// at all is left out. A hole between two fragments lengthens the sample before it. Errors: corrupt
/// (an init that can't be read), too_large, not_found (nothing of the first track is there).
Result<Plan> plan_file(std::vector<Track> tracks, const Shown& shown = {});

/// The part of the head and the pieces, the outer ones cut, that make up `length` bytes from
/// `first`; both lie within the whole.
struct Slice {
  std::string_view head;  // of the plan's
  std::vector<Piece> pieces;
};
Slice slice_of(const Plan& plan, std::uint64_t first, std::uint64_t length);

}  // namespace relay::origin::download
