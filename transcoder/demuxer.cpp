#include "transcoder/demuxer.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>

#include "common/base/log.hpp"
#include "transcoder/sniff.hpp"

namespace relay::transcoder {

namespace {

constexpr const char* formats_known =
    "mov,matroska,webm,mpegts,mpeg,flv,live_flv,mp3,aac,wav,w64,avi,ogg,mxf,flac,asf,aiff,ac3,"
    "eac3,dv,caf";

constexpr std::int64_t reorder_max_ns = 60'000'000'000;
// No picture and no sound takes less: then not the file is short but its head is wrong.
constexpr double least_bit_s = 100;

int interrupted(void* stop) {
  const auto& signal = *static_cast<const StopSignal*>(stop);
  return signal.stopped() || signal.late() ? 1 : 0;
}

bool is_still(const AVStream& stream) {
  return (stream.disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_STILL_IMAGE |
                                AV_DISPOSITION_TIMED_THUMBNAILS)) != 0;
}

bool decodable(const AVStream& stream) {
  return avcodec_find_decoder(stream.codecpar->codec_id) != nullptr;
}

// The first stream that is marked as default, else the first.
const AVStream* choose(const AVFormatContext& input, AVMediaType type) {
  const AVStream* best = nullptr;
  for (unsigned i = 0; i < input.nb_streams; ++i) {
    const AVStream* stream = input.streams[i];
    if (stream->codecpar->codec_type != type || is_still(*stream) || !decodable(*stream)) continue;
    if (type == AVMEDIA_TYPE_VIDEO && stream->codecpar->width <= 0) continue;
    if (type == AVMEDIA_TYPE_AUDIO && stream->codecpar->sample_rate <= 0) continue;
    bool marked = (stream->disposition & AV_DISPOSITION_DEFAULT) != 0;
    bool best_marked = best && (best->disposition & AV_DISPOSITION_DEFAULT) != 0;
    if (!best || (marked && !best_marked)) best = stream;
  }
  return best;
}

// The four characters by which the container calls the coding.
std::string tag_of(const AVCodecParameters& parameters) {
  char text[AV_FOURCC_MAX_STRING_SIZE] = {};
  return av_fourcc_make_string(text, parameters.codec_tag);
}

std::string why_nothing_usable(const AVFormatContext& input, int source_fd) {
  constexpr std::size_t head_bytes = 188 * 1000;
  if (is_scrambled(beginning_of(source_fd, head_bytes)))
    return "the stream is scrambled; send it without conditional access";
  for (unsigned i = 0; i < input.nb_streams; ++i) {
    const AVStream& stream = *input.streams[i];
    AVMediaType type = stream.codecpar->codec_type;
    if (is_still(stream) || (type != AVMEDIA_TYPE_VIDEO && type != AVMEDIA_TYPE_AUDIO)) continue;
    std::string codec = avcodec_get_name(stream.codecpar->codec_id);
    if (stream.codecpar->codec_id == AV_CODEC_ID_NONE) codec = tag_of(*stream.codecpar);
    if (!decodable(stream))
      return fmt::format("the {} is coded as {}, which we cannot decode",
                         type == AVMEDIA_TYPE_VIDEO ? "picture" : "sound", codec);
    return fmt::format("no whole {} was found in the file (coded as {})",
                       type == AVMEDIA_TYPE_VIDEO ? "picture" : "sound", codec);
  }
  return "the file has no picture and no sound";
}

}  // namespace

Demuxer::Demuxer(int source_fd, SourceWindow window, const StopSignal& stop)
    : io_(source_fd, window, stop), source_fd_(source_fd), size_(window.bytes) {
}

Result<std::unique_ptr<Demuxer>> Demuxer::open(int source_fd, const SourceLimits& limits,
                                               const StopSignal& stop,
                                               std::optional<SourceWindow> window) {
  struct stat status = {};
  if (fstat(source_fd, &status) != 0)
    return std::unexpected(disk_error("the source cannot be read", errno));
  if (status.st_size == 0) return bad_input("the file is empty");
  SourceWindow seen = window.value_or(SourceWindow{0, status.st_size});
  std::unique_ptr<Demuxer> demuxer(new Demuxer(source_fd, seen, stop));
  if (auto opened = demuxer->open_input(limits); !opened) return std::unexpected(opened.error());
  if (auto chosen = demuxer->choose_streams(limits); !chosen)
    return std::unexpected(chosen.error());
  return demuxer;
}

std::optional<Error> Demuxer::io_failure() const {
  if (!io_.healthy())
    return Error{ErrorKind::internal, ErrorSource::disk, true, "the source cannot be read"};
  if (io_.stop().stopped())
    return Error{ErrorKind::aborted, ErrorSource::internal, true, "stopped"};
  if (io_.stop().late())
    return Error{ErrorKind::timeout, ErrorSource::client, false,
                 "it took longer than the time allowed for one file"};
  return std::nullopt;
}

Result<void> Demuxer::open_input(const SourceLimits& limits) {
  AVFormatContext* input = avformat_alloc_context();
  input->pb = io_.context();
  input->flags |= AVFMT_FLAG_CUSTOM_IO;
  input->interrupt_callback = {&interrupted, const_cast<StopSignal*>(&io_.stop())};
  input->max_streams = static_cast<int>(limits.streams_max);
  input->probesize = static_cast<std::int64_t>(limits.probe_bytes);
  input->max_analyze_duration = 5 * AV_TIME_BASE;
  input->fps_probe_size = 3;  // frame_rate decides from the times themselves
  AVDictionary* options = nullptr;
  av_dict_set(&options, "format_whitelist", formats_known, 0);
  av_dict_set(&options, "protocol_whitelist", "", 0);
  int code = avformat_open_input(&input, nullptr, nullptr, &options);  // frees input on failure
  av_dict_free(&options);
  if (code < 0) {
    if (auto failure = io_failure()) return std::unexpected(*failure);
    return bad_input(why_not_media(source_fd_, size_));
  }
  input_.reset(input);
  if (input->nb_streams > static_cast<unsigned>(limits.streams_max))
    return bad_input(fmt::format("the file has {} streams, at most {} are allowed",
                                 input->nb_streams, limits.streams_max));
  avformat_find_stream_info(input, nullptr);  // what it could not find, choose_streams misses
  if (auto failure = io_failure()) return std::unexpected(*failure);
  return {};
}

Result<void> Demuxer::choose_streams(const SourceLimits& limits) {
  video_ = choose(*input_, AVMEDIA_TYPE_VIDEO);
  audio_ = choose(*input_, AVMEDIA_TYPE_AUDIO);
  if (!video_ && !audio_) return bad_input(why_nothing_usable(*input_, source_fd_));
  if (video_) {
    std::int64_t width = video_->codecpar->width, height = video_->codecpar->height;
    if (std::max(width, height) > limits.width_max || std::min(width, height) > limits.height_max)
      return bad_input(fmt::format("the picture is {}x{}, at most {}x{} is allowed", width, height,
                                   limits.width_max, limits.height_max));
  }
  for (unsigned i = 0; i < input_->nb_streams; ++i)
    if (input_->streams[i] != video_ && input_->streams[i] != audio_)
      input_->streams[i]->discard = AVDISCARD_ALL;
  constexpr std::int64_t second = 1'000'000'000;
  bool broadcast = (input_->iformat->flags & AVFMT_TS_DISCONT) != 0;
  joiner_ = std::make_unique<TimelineJoiner>(2, (broadcast ? 10 : 60) * second);
  announce();
  return {};
}

// By the head alone: what libav reckons of a file's size or last times says nothing of its end.
// Its numbers may be anything.
void Demuxer::announce() {
  if (input_->duration_estimation_method != AVFMT_DURATION_FROM_STREAM) return;
  double bits = 8.0 * static_cast<double>(size_);
  auto set = [&](Reach& reach, std::int64_t begin, std::int64_t length, AVRational base) {
    if (length <= 0) return;  // so is AV_NOPTS_VALUE
    if (begin == AV_NOPTS_VALUE) begin = 0;
    std::int64_t begin_ns = av::to_nanoseconds(begin, base);
    std::int64_t end_ns = av_sat_add64(begin_ns, av::to_nanoseconds(length, base));
    double bit_s = bits / (static_cast<double>(av_sat_sub64(end_ns, begin_ns)) / 1e9);
    if (end_ns > begin_ns && bit_s >= least_bit_s) reach = {begin_ns, begin_ns, end_ns};
  };
  for (const AVStream* stream : {video_, audio_})
    if (stream) set(reach_of(*stream), stream->start_time, stream->duration, stream->time_base);
  bool is_known =
      std::ranges::any_of(reach_, [](auto& each) { return each.announced_ns.has_value(); });
  if (!is_known) set(whole_, input_->start_time, input_->duration, {1, AV_TIME_BASE});
}

void Demuxer::note_end(const AVPacket& packet, const AVStream& stream) {
  std::int64_t time = packet.pts == AV_NOPTS_VALUE ? packet.dts : packet.pts;
  std::int64_t end = av_sat_add64(av::to_nanoseconds(time, stream.time_base),
                                  av::to_nanoseconds(packet.duration, stream.time_base));
  for (Reach* reach : {&reach_of(stream), &whole_}) reach->read_ns = std::max(reach->read_ns, end);
}

std::optional<Extent> Demuxer::extent() const {
  // Where times were moved, they are not those of the announcement.
  if (!ended_ || joined_) return std::nullopt;
  std::optional<Extent> worst;
  for (const Reach& reach : {reach_[0], reach_[1], whole_}) {
    if (!reach.announced_ns) continue;
    Extent found{av_sat_sub64(reach.read_ns, reach.begin_ns),
                 av_sat_sub64(*reach.announced_ns, reach.begin_ns)};
    auto missing = [](const Extent& of) { return of.announced_ns - of.read_ns; };
    if (!worst || missing(found) > missing(*worst)) worst = found;
  }
  return worst;
}

std::int64_t Demuxer::duration_ns() const {
  return input_->duration > 0 ? av_rescale(input_->duration, 1'000'000'000, AV_TIME_BASE) : 0;
}

std::string Demuxer::audio_language() const {
  const AVDictionaryEntry* entry =
      audio_ ? av_dict_get(audio_->metadata, "language", nullptr, 0) : nullptr;
  return language_tag(entry ? entry->value : "");
}

Result<bool> Demuxer::next(AVPacket& packet) {
  for (int damaged = 0;;) {
    av_packet_unref(&packet);
    int code = av_read_frame(input_.get(), &packet);
    if (auto failure = io_failure()) return std::unexpected(*failure);
    bool is_damaged = code == AVERROR(EAGAIN) || code == AVERROR_INVALIDDATA;
    if (is_damaged && ++damaged <= 1000) continue;
    if (code < 0) {
      ended_ = true;
      return false;
    }
    const AVStream* stream = input_->streams[packet.stream_index];
    if ((stream != video_ && stream != audio_) || packet.size == 0) continue;
    if (packet.dts == AV_NOPTS_VALUE) packet.dts = packet.pts;
    if (packet.dts == AV_NOPTS_VALUE) return true;
    note_end(packet, *stream);
    // No coding reorders over a minute: the presentation time is damaged.
    if (packet.pts != AV_NOPTS_VALUE &&
        std::abs(av::to_nanoseconds(packet.pts - packet.dts, stream->time_base)) > reorder_max_ns)
      packet.pts = packet.dts;
    std::int64_t offset = joiner_->offset_ns(
        stream == video_ ? 0 : 1, av::to_nanoseconds(packet.dts, stream->time_base),
        av::to_nanoseconds(packet.duration, stream->time_base));
    if (offset == 0) return true;
    joined_ = true;
    std::int64_t ticks = av_rescale_q(offset, AVRational{1, 1'000'000'000}, stream->time_base);
    packet.dts += ticks;
    if (packet.pts != AV_NOPTS_VALUE) packet.pts += ticks;
    return true;
  }
}

}  // namespace relay::transcoder
