#include "transcoder/live/stream_input.hpp"

#include <fmt/format.h>

namespace relay::transcoder::live {

namespace {
constexpr int io_buffer_bytes = 64 * 1024;
constexpr std::int64_t probe_bytes = 256 * 1024;  // of MPEG-TS, to its first tables
constexpr int damaged_max = 1000;                 // packets in a row
}  // namespace

Result<std::unique_ptr<StreamInput>> StreamInput::open(media::FeedFormat format, ByteQueue& queue,
                                                       const SourceLimits& limits) {
  std::unique_ptr<StreamInput> stream(new StreamInput(queue));
  stream->is_flv_ = format == media::FeedFormat::flv;
  auto* buffer = static_cast<unsigned char*>(av_malloc(io_buffer_bytes));
  if (!buffer) av::out_of_memory("a buffer");
  stream->io_.reset(avio_alloc_context(buffer, io_buffer_bytes, 0, stream.get(), &StreamInput::read,
                                       nullptr, nullptr));
  AVFormatContext* input = avformat_alloc_context();
  if (!stream->io_ || !input) av::out_of_memory("an input");
  input->pb = stream->io_.get();
  if (format == media::FeedFormat::mpegts) stream->packets_.emplace(queue, *input);
  input->max_streams = static_cast<int>(limits.streams_max);
  input->probesize = probe_bytes;
  input->correct_ts_overflow = 0;  // Unwrapper's
  const char* name = media::name(format);
  AVDictionary* options = nullptr;
  av_dict_set(&options, "format_whitelist", name, 0);
  av_dict_set(&options, "protocol_whitelist", "", 0);
  int code = avformat_open_input(&input, nullptr, av_find_input_format(name), &options);
  av_dict_free(&options);
  av::check_memory(code, "a demuxer");
  if (code < 0)  // frees input
    return bad_input(fmt::format("the stream is not {}: {}", name, av::reason(code)));
  stream->input_.reset(input);
  return stream;
}

int StreamInput::read(void* self, std::uint8_t* into, int room) {
  auto& stream = *static_cast<StreamInput*>(self);
  int got = stream.packets_ ? stream.packets_->read(into, room) : stream.queue_.read(into, room);
  return got > 0 ? got : AVERROR_EOF;
}

std::int64_t StreamInput::arrival_us() const {
  return packets_ ? packets_->arrival_us() : queue_.arrival_us();
}

bool StreamInput::choose(const AVStream& stream) {
  const AVCodecParameters& coding = *stream.codecpar;
  bool video = coding.codec_type == AVMEDIA_TYPE_VIDEO;
  const AVStream*& chosen = video ? picture_ : sound_;
  if (chosen || (!video && coding.codec_type != AVMEDIA_TYPE_AUDIO)) return chosen == &stream;
  if (!avcodec_find_decoder(coding.codec_id)) {
    bool is_named = coding.codec_id != AV_CODEC_ID_NONE && coding.codec_id != AV_CODEC_ID_PROBE;
    if (is_named && refused_.empty()) {
      refused_ = fmt::format("the {} is coded as {}, which we cannot decode",
                             video ? "picture" : "sound", avcodec_get_name(coding.codec_id));
      if (told_) told_(refused_);
    }
    return false;
  }
  chosen = &stream;
  return true;
}

bool StreamInput::next(AVPacket& packet) {
  for (int damaged = 0; damaged < damaged_max && !queue_.stopped();) {
    av_packet_unref(&packet);
    int code = av_read_frame(input_.get(), &packet);
    av::check_memory(code, "a packet");
    if (code == AVERROR_EOF) return false;
    if (code < 0) {
      ++damaged;
      continue;
    }
    if (packet.size == 0) continue;
    if (packet.dts == AV_NOPTS_VALUE) packet.dts = packet.pts;
    AVStream& stream = *input_->streams[packet.stream_index];
    if (is_flv_ && FlvHevc::is(stream) && !hevc_.unpack(stream, packet)) continue;
    bool is_timed = packet.dts != AV_NOPTS_VALUE;
    if (is_timed ? choose(stream) : &stream == sound_) return true;
  }
  return false;
}

}  // namespace relay::transcoder::live
