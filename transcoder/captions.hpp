// Closed captions as they travel beside pictures (ATSC A/53 part 4, 6.2.3): triples of a kind and
// two bytes, in which pairs of CEA-608 and packets of CEA-708 follow one another. Each triple must
// come out once and in its order, or letters double and words lose theirs. Pure; hostile bytes are
// safe.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "transcoder/nal.hpp"
#include "transcoder/track.hpp"

namespace relay::transcoder {

inline constexpr std::size_t caption_triple_bytes = 3;
inline constexpr std::size_t caption_triples_a_picture_max = 31;  // the count has five bits

/// The triples among the NAL units of an H.264 picture (SEI, user data registered by ITU-T T.35).
Bytes captions_of(const std::vector<BytesView>& units);

/// The CEA-608 channels that captions are begun on among `triples`.
CaptionChannels caption_channels(BytesView triples);

/// What the source's pictures brought, until the picture that is shown is as late as they were.
/// Holds a few seconds; the oldest falls out.
class SourceCaptions {
 public:
  void add(std::int64_t time_ns, Bytes triples);
  /// All up to `time_ns`, with those of pictures that were dropped.
  Bytes take(std::int64_t time_ns);

 private:
  struct Arrived {
    std::int64_t time_ns;
    Bytes triples;
  };
  std::deque<Arrived> waiting_;  // as pictures come: by time
};

/// Captions on their way to the pictures of one rendition, which may be fewer than the source's.
/// Holds a second or two; what a rendition cannot carry falls out at the old end.
class CaptionQueue {
 public:
  /// Triples that are marked as void are left out.
  void add(BytesView triples);
  /// For the next picture: as many as one may carry.
  Bytes take();

 private:
  Bytes waiting_;
};

}  // namespace relay::transcoder
