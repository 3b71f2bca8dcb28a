// The thumbnails of a channel: a tile at the begin of each group of pictures, a sheet a segment.
#pragma once

#include <cstdint>

#include "transcoder/live/grid.hpp"
#include "transcoder/live/part_output.hpp"
#include "transcoder/sheet.hpp"

namespace relay::transcoder::live {

/// One thread; a tile costs it about a millisecond.
class ThumbnailLane {
 public:
  /// Both outlive this. A setup without tiles: nothing is made.
  ThumbnailLane(const Grid& grid, PartOutput& output);

  bool wants(std::int64_t frame) const;
  /// A picture that is wanted, in any size. The sheet goes out with its last tile; one that lacks a
  /// tile does not.
  void show(const AVFrame& picture, std::int64_t frame);

 private:
  const Grid& grid_;
  PartOutput& output_;
  Sheet sheet_;
  std::int64_t next_ = -1;  // the frame of the next tile of the sheet
};

}  // namespace relay::transcoder::live
