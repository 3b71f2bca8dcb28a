#include "transcoder/sheet.hpp"

extern "C" {
#include <libavutil/imgutils.h>
}

#include <algorithm>
#include <cmath>
#include <utility>

namespace relay::transcoder {

namespace {

constexpr int tile_side_max = 240;
constexpr int jpeg_quantizer = 5;   // of 2 (best) to 31: 3 to 8 KB a tile
constexpr int full_gain = 1 << 16;  // swscale's 1.0 for contrast and saturation
constexpr int hd_lines = 720;

std::unexpected<Error> cannot_be_made(const char* what, int code = 0) {
  av::check_memory(code, what);
  return fail(ErrorKind::internal, ErrorSource::internal, std::string(what) + " cannot be made");
}

/// A picture that leaves open what it means is meant as players take it: by its size.
int sws_matrix_of(AVColorSpace matrix, int width, int height) {
  bool is_high = std::min(width, height) >= hd_lines;
  bool is_709 = matrix == AVCOL_SPC_BT709 || (matrix == AVCOL_SPC_UNSPECIFIED && is_high);
  return is_709 ? SWS_CS_ITU709 : SWS_CS_ITU601;
}

av::Frame blank_tile(int width, int height) {
  av::Frame frame = av::make_frame();
  frame->width = width;
  frame->height = height;
  frame->format = AV_PIX_FMT_YUVJ420P;
  frame->color_range = AVCOL_RANGE_JPEG;
  if (av_frame_get_buffer(frame.get(), 0) < 0) av::out_of_memory("a thumbnail");
  return frame;
}

void copy_tile(const AVFrame& tile, int column, AVFrame& into) {
  for (int plane = 0; plane < 3; ++plane) {
    int shift = plane > 0 ? 1 : 0;
    int width = tile.width >> shift, height = tile.height >> shift;
    av_image_copy_plane(into.data[plane] + column * width, into.linesize[plane], tile.data[plane],
                        tile.linesize[plane], width, height);
  }
}

Result<std::string> to_jpeg(AVFrame& picture) {
  av::CodecContext encoder(avcodec_alloc_context3(avcodec_find_encoder(AV_CODEC_ID_MJPEG)));
  if (!encoder) return cannot_be_made("a JPEG encoder");
  encoder->width = picture.width;
  encoder->height = picture.height;
  encoder->pix_fmt = AV_PIX_FMT_YUVJ420P;
  encoder->color_range = AVCOL_RANGE_JPEG;
  encoder->time_base = {1, 1};
  encoder->thread_count = 1;
  encoder->flags |= AV_CODEC_FLAG_QSCALE | AV_CODEC_FLAG_BITEXACT;
  encoder->global_quality = FF_QP2LAMBDA * jpeg_quantizer;
  picture.quality = encoder->global_quality;
  picture.pts = 0;
  if (int code = avcodec_open2(encoder.get(), nullptr, nullptr); code < 0)
    return cannot_be_made("a JPEG encoder", code);
  av::Packet packet = av::make_packet();
  int code = avcodec_send_frame(encoder.get(), &picture);
  if (code >= 0) code = avcodec_receive_packet(encoder.get(), packet.get());
  if (code < 0) return cannot_be_made("a JPEG", code);
  return std::string(reinterpret_cast<const char*>(packet->data),
                     static_cast<std::size_t>(packet->size));
}

}  // namespace

TileSize tile_size(int width, int height) {
  double scale = std::min(1.0, static_cast<double>(tile_side_max) / std::max({width, height, 1}));
  auto even = [&](int side) {
    return std::max(2, 2 * static_cast<int>(std::lround(side * scale / 2)));
  };
  return {even(width), even(height)};
}

Result<void> Sheet::prepare(const AVFrame& picture) {
  if (scaler_ && from_width_ == picture.width && from_height_ == picture.height) return {};
  scaler_.reset(sws_getContext(
      picture.width, picture.height, static_cast<AVPixelFormat>(picture.format), tile_.width,
      tile_.height, AV_PIX_FMT_YUVJ420P, SWS_AREA, nullptr, nullptr, nullptr));
  if (!scaler_) return cannot_be_made("a thumbnail");
  const int* from = sws_getCoefficients(sws_matrix_of(matrix_, picture.width, picture.height));
  sws_setColorspaceDetails(scaler_.get(), from, 0, sws_getCoefficients(SWS_CS_ITU601), 1, 0,
                           full_gain, full_gain);
  from_width_ = picture.width;
  from_height_ = picture.height;
  return {};
}

Result<void> Sheet::add(const AVFrame& picture) {
  if (auto prepared = prepare(picture); !prepared) return prepared;
  av::Frame tile = blank_tile(tile_.width, tile_.height);
  sws_scale(scaler_.get(), picture.data, picture.linesize, 0, picture.height, tile->data,
            tile->linesize);
  tiles_.push_back(std::move(tile));
  return {};
}

Result<std::string> Sheet::take_jpeg() {
  std::vector<av::Frame> tiles = std::exchange(tiles_, {});
  if (tiles.empty()) return cannot_be_made("a sheet of no thumbnails");
  av::Frame whole = blank_tile(tile_.width * static_cast<int>(tiles.size()), tile_.height);
  for (std::size_t i = 0; i < tiles.size(); ++i) copy_tile(*tiles[i], static_cast<int>(i), *whole);
  return to_jpeg(*whole);
}

}  // namespace relay::transcoder
