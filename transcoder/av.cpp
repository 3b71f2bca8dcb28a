#include "transcoder/av.hpp"

extern "C" {
#include <libavutil/log.h>
}

#include <unistd.h>

#include <cstdio>

#include "common/media/job.hpp"

namespace relay::transcoder::av {

void out_of_memory(const char* what) {
  std::fprintf(stderr, "out of memory: no room for %s\n", what);
  _exit(media::exit_out_of_memory);
}

Packet make_packet() {
  Packet packet(av_packet_alloc());
  if (!packet) out_of_memory("a packet");
  return packet;
}

Frame make_frame() {
  Frame frame(av_frame_alloc());
  if (!frame) out_of_memory("a picture");
  return frame;
}

Frame share(const AVFrame& frame) {
  Frame copy(av_frame_clone(&frame));
  if (!copy) out_of_memory("a picture");
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
