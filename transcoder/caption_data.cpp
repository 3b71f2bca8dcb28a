#include "transcoder/caption_data.hpp"

#include <algorithm>

namespace relay::transcoder {

Bytes take_captions(AVFrame& picture) {
  const AVFrameSideData* data = av_frame_get_side_data(&picture, AV_FRAME_DATA_A53_CC);
  if (!data) return {};
  Bytes triples(data->data, data->data + data->size);
  av_frame_remove_side_data(&picture, AV_FRAME_DATA_A53_CC);
  return triples;
}

void put_captions(AVFrame& picture, BytesView triples) {
  if (triples.empty()) return;
  AVFrameSideData* data = av_frame_new_side_data(&picture, AV_FRAME_DATA_A53_CC, triples.size());
  if (!data) av::out_of_memory("captions");
  std::ranges::copy(triples, data->data);
}

}  // namespace relay::transcoder
