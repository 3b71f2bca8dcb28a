// The segment of a rendition that is being made, as a restart of the origin finds it: each of its
// parts is noted before anybody is told of it. Pure; half_done_file reads and writes the notes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.hpp"
#include "origin/live/grid.hpp"
#include "origin/live/segment.hpp"
#include "origin/live/window.hpp"

namespace relay::origin::live {

struct HalfDone {
  Segment segment;
  bool closing = false;  // all of its parts are there
};

/// Divides a page, so that no note lies in two of them, of which a kill could leave one unwritten.
inline constexpr std::size_t note_bytes = 64;

/// Of one part of segment `number`; notes lie one behind the other in the order of the parts.
std::string note_of(std::int64_t number, const Part& part, bool last);

/// The segment that the first note is of; behind its notes those of an earlier one may lie.
/// nullopt: there is none.
std::optional<HalfDone> half_done_from_notes(std::string_view notes);

/// Brings a window up to now that shows what was kept, so that it shows no less than before the
/// restart: the parts of what is half done, gaps where the clock may have passed over it. When the
/// notes are of no use, the segment at hand is a gap at once.
void resume(Window& window, std::optional<HalfDone> half_done, const Grid& grid, WallTime now);

}  // namespace relay::origin::live
