#include "transcoder/thumbnails.hpp"

#include <algorithm>
#include <cmath>

namespace relay::transcoder {

namespace {
constexpr double tile_s = 2;
}

Thumbnails::Thumbnails(const Chunker& chunker, TileSize tile, AVColorSpace matrix,
                       std::int64_t first_segment)
    : chunker_(chunker),
      sheet_(tile, matrix),
      segment_(first_segment),
      tile_frames_(std::max<std::int64_t>(1, std::llround(tile_s * chunker.rate().value()))) {
}

bool Thumbnails::wants(std::int64_t frame) const {
  std::int64_t segment = chunker_.segment_of(frame);
  return segment >= segment_ && (frame - chunker_.first_frame(segment)) % tile_frames_ == 0;
}

Result<std::optional<ThumbnailSheet>> Thumbnails::add(const AVFrame& picture, std::int64_t frame) {
  std::optional<ThumbnailSheet> whole;
  if (sheet_.tiles() > 0 && chunker_.is_cut(frame)) {
    auto closed = close(frame, false);
    if (!closed) return std::unexpected(closed.error());
    whole = std::move(*closed);
  }
  if (auto added = sheet_.add(picture); !added) return std::unexpected(added.error());
  return whole;
}

Result<std::optional<ThumbnailSheet>> Thumbnails::finish(std::int64_t end) {
  if (sheet_.tiles() == 0) return std::nullopt;
  auto closed = close(end, true);
  if (!closed) return std::unexpected(closed.error());
  return std::move(*closed);
}

Result<ThumbnailSheet> Thumbnails::close(std::int64_t end, bool last) {
  Fraction rate = chunker_.rate();
  ThumbnailSheet made{.number = segment_,
                      .duration = (end - chunker_.first_frame(segment_)) * rate.denominator,
                      .tile_duration = tile_frames_ * rate.denominator,
                      .timescale = rate.numerator,
                      .tiles = sheet_.tiles(),
                      .tile_width = sheet_.tile().width,
                      .tile_height = sheet_.tile().height,
                      .last = last};
  auto jpeg = sheet_.take_jpeg();
  if (!jpeg) return std::unexpected(jpeg.error());
  made.jpeg = std::move(*jpeg);
  ++segment_;
  return made;
}

}  // namespace relay::transcoder
