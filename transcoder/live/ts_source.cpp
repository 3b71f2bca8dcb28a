#include "transcoder/live/ts_source.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/base/log.hpp"
#include "transcoder/live/pes_marks.hpp"

namespace relay::transcoder::live {

namespace {

const AVStream* stream_of(const AVFormatContext& demuxer, int pid) {
  for (unsigned i = 0; i < demuxer.nb_streams; ++i)
    if (demuxer.streams[i]->id == pid) return demuxer.streams[i];
  return nullptr;
}

}  // namespace

// The demuxer looks at some packets first, to learn their length: it need not wait for pictures.
TsSource::TsSource(ByteQueue& queue, const AVFormatContext& demuxer)
    : queue_(queue), demuxer_(demuxer), bytes_(null_packets()) {
}

int TsSource::read(std::uint8_t* into, int room) {
  if (taken_ == bytes_.size() && !refill()) return 0;
  std::size_t count = std::min(static_cast<std::size_t>(room), bytes_.size() - taken_);
  std::memcpy(into, bytes_.data() + taken_, count);
  taken_ += count;
  return static_cast<int>(count);
}

// False: the end. All that was given before is used by now.
bool TsSource::refill() {
  do {
    if (!await_piece()) return false;
    AVCodecParserContext* parser = parser_of(piece_->pid);
    bool looks = parser && (parser->flags & PARSER_FLAG_COMPLETE_FRAMES) == 0;
    if (looks && piece_->whole_picture && !std::exchange(delimited_, true)) {
      // What it ends has the time of arrival that stands here now.
      give(delimiter_before(piece_->bytes, piece_->coding));
      return true;
    }
    delimited_ = false;
    if (parser && piece_->whole_picture) parser->flags |= PARSER_FLAG_COMPLETE_FRAMES;
    if (parser && !piece_->whole_picture) parser->flags &= ~PARSER_FLAG_COMPLETE_FRAMES;
    arrival_us_ = piece_->arrival_us;
    give(std::move(std::exchange(piece_, std::nullopt)->bytes));
  } while (bytes_.empty());
  return true;
}

bool TsSource::await_piece() {
  auto coding_of = [this](int pid) { return this->coding_of(pid); };
  while (!piece_) {
    piece_ = relay_.next(coding_of);
    if (std::string reason = relay_.take_refusal(); !reason.empty())
      log::info("pictures wait for the next one", {kv("reason", reason)});
    if (piece_) break;
    if (ended_) return false;
    std::string unit = queue_.take();
    ended_ = unit.empty();
    if (ended_)
      relay_.end();
    else
      relay_.add(std::move(unit), queue_.arrival_us());
  }
  return true;
}

void TsSource::give(std::string bytes) {
  bytes_ = std::move(bytes);
  taken_ = 0;
}

// Null: none, or not yet.
AVCodecParserContext* TsSource::parser_of(int pid) const {
  const AVStream* stream = pid == TsPiece::any_pid ? nullptr : stream_of(demuxer_, pid);
  return stream ? av_stream_get_parser(stream) : nullptr;
}

PictureCoding TsSource::coding_of(int pid) const {
  const AVStream* stream = stream_of(demuxer_, pid);
  switch (stream ? stream->codecpar->codec_id : AV_CODEC_ID_NONE) {
    case AV_CODEC_ID_H264:
      return PictureCoding::h264;
    case AV_CODEC_ID_HEVC:
      return PictureCoding::h265;
    default:
      return PictureCoding::other;
  }
}

}  // namespace relay::transcoder::live
