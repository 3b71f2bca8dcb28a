// Where key pictures and segments begin: decided once, in output frames, the same answer for every
// rendition. Pure.
//
// The first segments are short, so that a viewer starts early: 1 s, 2 s, 2 s, then 6 s each.
#pragma once

#include <cstdint>
#include <vector>

#include "transcoder/track.hpp"

namespace relay::transcoder {

inline constexpr std::int64_t segment_s = 6;  // also the target duration of every playlist

class Chunker {
 public:
  /// Key pictures at 0, 1 s and every 2 s from there. `even`: only even frames, for ladders in
  /// which some rungs show every second frame.
  static Chunker regular(Fraction rate, bool even);

  /// Key pictures where the source has them (ascending, the first is 0), `frames` in all. Check
  /// with fits() first.
  static Chunker at_keys(Fraction rate, std::vector<std::int64_t> keys, std::int64_t frames);
  /// Whether segments of at most 6 s (rounded) can be cut at `keys`.
  static bool fits(Fraction rate, const std::vector<std::int64_t>& keys, std::int64_t frames);

  bool is_key(std::int64_t frame) const;
  /// The first frame of a segment; for a segment behind the last of at_keys(): INT64_MAX.
  std::int64_t first_frame(std::int64_t segment) const;
  /// The segment that holds `frame`.
  std::int64_t segment_of(std::int64_t frame) const;
  bool is_cut(std::int64_t frame) const { return first_frame(segment_of(frame)) == frame; }
  Fraction rate() const { return rate_; }

 private:
  Fraction rate_;
  std::int64_t first_ = 0, group_ = 0;     // regular: frames of 1 s and of 2 s
  std::vector<std::int64_t> keys_, cuts_;  // at_keys
};

}  // namespace relay::transcoder
