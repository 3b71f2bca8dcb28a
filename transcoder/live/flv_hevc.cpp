#include "transcoder/live/flv_hevc.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "common/base/big_endian.hpp"
#include "common/media/feed.hpp"

namespace relay::transcoder::live {

namespace {

constexpr int tag_head_bytes = 4;  // content, offset of composition
constexpr int offset_bits = 24;

std::string_view bytes_of(const AVPacket& packet) {
  return {reinterpret_cast<const char*>(packet.data), static_cast<std::size_t>(packet.size)};
}

std::int64_t composition_ms(const AVPacket& packet) {
  std::int64_t offset = big_endian(bytes_of(packet).substr(1, 3));
  bool is_negative = (offset >> (offset_bits - 1)) != 0;
  return is_negative ? offset - (1 << offset_bits) : offset;
}

std::uint8_t* copy_for_libav(std::string_view bytes) {
  auto* copy = static_cast<std::uint8_t*>(av_mallocz(bytes.size() + AV_INPUT_BUFFER_PADDING_SIZE));
  if (!copy) av::out_of_memory("a head");
  std::ranges::copy(bytes, copy);
  return copy;
}

}  // namespace

bool FlvHevc::is(const AVStream& stream) {
  const AVCodecParameters& coding = *stream.codecpar;
  return coding.codec_type == AVMEDIA_TYPE_VIDEO && coding.codec_tag == media::flv_hevc;
}

bool FlvHevc::unpack(AVStream& stream, AVPacket& packet) {
  if (packet.size <= tag_head_bytes) return false;
  auto content = static_cast<media::FlvContent>(packet.data[0]);
  if (content == media::FlvContent::head) take_head(stream, packet);
  if (content != media::FlvContent::picture || head_.empty()) return false;
  packet.pts = packet.dts + composition_ms(packet);  // FLV counts milliseconds
  packet.data += tag_head_bytes;
  packet.size -= tag_head_bytes;
  if (!std::exchange(is_new_, false)) return true;
  std::uint8_t* copy = copy_for_libav(head_);
  if (av_packet_add_side_data(&packet, AV_PKT_DATA_NEW_EXTRADATA, copy, head_.size()) < 0)
    av::out_of_memory("a head");
  return true;
}

void FlvHevc::take_head(AVStream& stream, const AVPacket& packet) {
  std::string_view head = bytes_of(packet).substr(tag_head_bytes);
  if (head == head_) return;
  is_new_ = !head_.empty();
  head_ = head;
  if (is_new_) return;
  AVCodecParameters& coding = *stream.codecpar;
  coding.codec_id = AV_CODEC_ID_HEVC;
  coding.extradata = copy_for_libav(head_);
  coding.extradata_size = static_cast<int>(head_.size());
}

}  // namespace relay::transcoder::live
