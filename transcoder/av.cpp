#include "transcoder/av.hpp"

extern "C" {
#include <libavutil/log.h>
}

#include "common/base/check.hpp"

namespace relay::transcoder::av {

Packet make_packet() {
  Packet packet(av_packet_alloc());
  RELAY_CHECK(packet);
  return packet;
}

Frame make_frame() {
  Frame frame(av_frame_alloc());
  RELAY_CHECK(frame);
  return frame;
}

Frame share(const AVFrame& frame) {
  Frame copy(av_frame_clone(&frame));
  RELAY_CHECK(copy);
  return copy;
}

std::string reason(int code) {
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(code, text, sizeof text);
  return text;
}

void quiet() {
  av_log_set_level(AV_LOG_FATAL);
}

}  // namespace relay::transcoder::av
