// The thumbnail track of a file: a sheet for each segment, with a tile for every two seconds of it.
#pragma once

#include <cstdint>
#include <optional>

#include "common/base/error.hpp"
#include "common/media/live.hpp"
#include "transcoder/chunker.hpp"
#include "transcoder/sheet.hpp"
#include "transcoder/track.hpp"

namespace relay::transcoder {

using media::thumbnails_name;

/// Not shared between threads.
class Thumbnails {
 public:
  /// `tile` and `matrix` as of Sheet; segments before `first_segment` have their sheets already.
  /// `chunker` outlives this.
  Thumbnails(const Chunker& chunker, TileSize tile, AVColorSpace matrix,
             std::int64_t first_segment);

  /// Whether picture `frame` is a tile. Frames are asked for in order.
  bool wants(std::int64_t frame) const;
  /// A picture that is wanted, in any size. The sheet of the segment before, when this one begins
  /// the next.
  Result<std::optional<ThumbnailSheet>> add(const AVFrame& picture, std::int64_t frame);
  /// The last sheet: `end` is how many frames there are. nullopt: nothing was added.
  Result<std::optional<ThumbnailSheet>> finish(std::int64_t end);

 private:
  Result<ThumbnailSheet> close(std::int64_t end, bool last);

  const Chunker& chunker_;
  Sheet sheet_;
  std::int64_t segment_;      // that is being gathered
  std::int64_t tile_frames_;  // between tiles
};

}  // namespace relay::transcoder
