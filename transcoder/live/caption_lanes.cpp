#include "transcoder/live/caption_lanes.hpp"

namespace relay::transcoder::live {

void CaptionLanes::add(BytesView triples, std::size_t first) {
  if (triples.empty()) return;
  channels_ |= caption_channels(triples);
  for (std::size_t i = first; i < lanes_.size(); ++i) lanes_[i].add(triples);
}

}  // namespace relay::transcoder::live
