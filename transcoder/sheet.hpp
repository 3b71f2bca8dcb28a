// Small pictures side by side in one JPEG: what a thumbnail track is made of. Made of pictures that
// are scaled for a rendition anyway, so it costs a small scale and a small encode every two
// seconds.
#pragma once

#include <string>
#include <vector>

#include "common/base/error.hpp"
#include "transcoder/av.hpp"

namespace relay::transcoder {

struct TileSize {
  int width = 0, height = 0;  // even
};
/// Of a picture of this size: at most 240 pixels on its longer side, and never enlarged.
TileSize tile_size(int width, int height);

/// Not shared between threads.
class Sheet {
 public:
  /// `matrix`: of the pictures; JPEG means BT.601 (JFIF).
  Sheet(TileSize tile, AVColorSpace matrix) : tile_(tile), matrix_(matrix) {}

  TileSize tile() const { return tile_; }
  int tiles() const { return static_cast<int>(tiles_.size()); }
  /// `picture` is 8-bit 4:2:0 in limited range. Errors: internal.
  Result<void> add(const AVFrame& picture);
  void clear() { tiles_.clear(); }
  /// All tiles in one row, the first on the left; it is empty then. Errors: internal.
  Result<std::string> take_jpeg();

 private:
  Result<void> prepare(const AVFrame& picture);

  TileSize tile_;
  AVColorSpace matrix_;
  av::Scaler scaler_;
  int from_width_ = 0, from_height_ = 0;
  std::vector<av::Frame> tiles_;
};

}  // namespace relay::transcoder
