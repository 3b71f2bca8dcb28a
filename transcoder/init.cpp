#include "transcoder/init.hpp"

extern "C" {
#include <libavformat/avformat.h>
}

#include <cstring>
#include <memory>

namespace relay::transcoder {
namespace {

// The muxer with its output in memory.
class Muxer {
 public:
  Muxer() {
    avformat_alloc_output_context2(&context_, nullptr, "mp4", nullptr);
    if (context_ && avio_open_dyn_buf(&context_->pb) < 0) context_->pb = nullptr;
  }
  Muxer(const Muxer&) = delete;
  ~Muxer() {
    if (context_ && context_->pb) take();
    avformat_free_context(context_);
  }
  AVFormatContext* context() { return context_ && context_->pb ? context_ : nullptr; }
  std::string take() {
    std::uint8_t* bytes = nullptr;
    int size = avio_close_dyn_buf(context_->pb, &bytes);
    context_->pb = nullptr;
    std::string text(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    av_free(bytes);
    return text;
  }

 private:
  AVFormatContext* context_ = nullptr;
};

std::unexpected<Error> init_error(const TrackSpec& track, std::string why, ErrorKind kind) {
  return fail(kind, ErrorSource::internal,
              "the init segment of " + track.name + " cannot be written: " + std::move(why));
}

bool set_extradata(AVCodecParameters& parameters, const std::vector<std::uint8_t>& bytes) {
  parameters.extradata =
      static_cast<std::uint8_t*>(av_mallocz(bytes.size() + AV_INPUT_BUFFER_PADDING_SIZE));
  if (!parameters.extradata) return false;
  std::memcpy(parameters.extradata, bytes.data(), bytes.size());
  parameters.extradata_size = static_cast<int>(bytes.size());
  return true;
}

bool describe_stream(AVStream& stream, const TrackSpec& track) {
  stream.time_base = {1, static_cast<int>(track.timescale)};
  AVCodecParameters& parameters = *stream.codecpar;
  parameters.codec_type = track.video() ? AVMEDIA_TYPE_VIDEO : AVMEDIA_TYPE_AUDIO;
  parameters.codec_id = track.video() ? AV_CODEC_ID_H264 : AV_CODEC_ID_AAC;
  parameters.width = track.width;
  parameters.height = track.height;
  parameters.sample_rate = track.sample_rate;
  parameters.frame_size = track.video() ? 0 : 1024;
  if (!track.video()) av_channel_layout_default(&parameters.ch_layout, track.channels);
  // ISO 639-2 only; RFC 5646 languages stand in the playlist.
  if (track.language.size() == 3)
    av_dict_set(&stream.metadata, "language", track.language.c_str(), 0);
  return set_extradata(parameters, track.extradata);
}

}  // namespace

Result<std::string> build_init(const TrackSpec& track) {
  if (track.timescale <= 0 || track.timescale > INT32_MAX)
    return init_error(track, "its timescale is out of range", ErrorKind::internal);
  if (!track.video() && track.timescale != track.sample_rate)
    return init_error(track, "audio counts in samples", ErrorKind::internal);
  Muxer muxer;
  AVFormatContext* context = muxer.context();
  AVStream* stream = context ? avformat_new_stream(context, nullptr) : nullptr;
  if (!stream || !describe_stream(*stream, track))
    return init_error(track, "out of memory", ErrorKind::internal);
  // Bit-exact: no time of day, no version of the muxer, so that a resumed job agrees.
  context->flags |= AVFMT_FLAG_BITEXACT;
  AVDictionary* options = nullptr;
  av_dict_set(&options, "movflags", "cmaf+empty_moov+frag_custom+default_base_moof", 0);
  // Without it the muxer doubles small timescales.
  av_dict_set_int(&options, "video_track_timescale", track.timescale, 0);
  int status = avformat_write_header(context, &options);
  av_dict_free(&options);
  if (status < 0) {
    char why[AV_ERROR_MAX_STRING_SIZE] = {};
    av_strerror(status, why, sizeof why);
    return init_error(track, why, ErrorKind::invalid);
  }
  return muxer.take();
}

}  // namespace relay::transcoder
