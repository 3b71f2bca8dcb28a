// Closed captions on their way from the slot on air to every picture rendition of a channel: each
// letter once and in its order, however pictures are repeated or left out. Pure.
#pragma once

#include <cstddef>
#include <vector>

#include "transcoder/captions.hpp"

namespace relay::transcoder::live {

class CaptionLanes {
 public:
  explicit CaptionLanes(std::size_t rungs) : lanes_(rungs) {}

  /// For the rungs from `first` on; those before are not made now.
  void add(BytesView triples, std::size_t first);
  /// For the next picture of a rung.
  Bytes take(std::size_t rung) { return lanes_[rung].take(); }
  /// On which channels captions have begun so far.
  CaptionChannels channels() const { return channels_; }

 private:
  std::vector<CaptionQueue> lanes_;
  CaptionChannels channels_;
};

}  // namespace relay::transcoder::live
