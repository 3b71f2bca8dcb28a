// Which pictures and sounds of a segment belong to a clip, and when each begins and ends there.
// Pure.
//
// The rendition with the most pictures a second decides: a clip shows every picture of it that is
// shown between start and end. The others are cut at the times that this comes to: pictures to the
// tick (one that is cut in two is shown for the rest of its time), sound at the nearest frame.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace relay::transcoder {

/// A picture or a frame of sound, in ticks of its track. They come in the order of their times.
struct EdgeFrame {
  std::int64_t pts = 0, duration = 0;
  std::int64_t end() const { return pts + duration; }
};
/// Of one segment, in order and without holes; never empty.
struct EdgeFrames {
  std::span<const EdgeFrame> frames;
  std::int64_t timescale = 1;
};

/// On the clock that all renditions share.
struct EdgeSpan {
  std::int64_t from_ns = 0, to_ns = 0;
};

/// Frames `first` to `end` - 1, never none, shown from `start` to `stop` (ticks).
struct EdgeCut {
  std::size_t first = 0, end = 0;
  std::int64_t start = 0, stop = 0;
};

std::int64_t nanoseconds_of(std::int64_t ticks, std::int64_t timescale);

/// What a wish comes to: from the begin of the frame that is shown at `wish.from_ns` to the end of
/// the last one that begins before `wish.to_ns`; at least one frame. A wish that misses a frame by
/// less than an eighth of it was rounded on its way, and means it.
EdgeSpan exact_span(const EdgeFrames& of, const EdgeSpan& wish);

/// The span for all renditions: where nothing is cut, no frame of theirs lies outside, wherever the
/// bounds of a segment lie between their frames.
EdgeSpan opened(EdgeSpan span, bool cuts_begin, bool cuts_end);

/// Pictures `first` to `end` - 1 of a cut: whole groups, which stay as they are, or others, which
/// are encoded again.
struct EdgeRun {
  std::size_t first = 0, end = 0;
  bool whole = false;
  bool operator==(const EdgeRun&) const = default;
};

/// `keys`: where the groups of pictures begin, ascending from 0. The runs are the cut, none of them
/// like the one before.
std::vector<EdgeRun> runs_of(const EdgeFrames& of, const EdgeCut& cut,
                             std::span<const std::size_t> keys);

EdgeCut cut_pictures(const EdgeFrames& of, const EdgeSpan& span);
EdgeCut cut_sound(const EdgeFrames& of, const EdgeSpan& span);

}  // namespace relay::transcoder
