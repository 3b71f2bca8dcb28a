// Where the parts, groups and segments of a channel lie, counted in what a rendition is made of.
// Pure.
//
// Parts are numbered through all segments: part p of segment n is n × parts_per_segment + p.
#pragma once

#include <cstdint>

#include "common/media/live.hpp"

namespace relay::transcoder::live {

/// What one unit of a rendition is: an AAC frame, or every `step`-th picture.
struct Units {
  bool sound = false;
  int step = 1;
};

class Grid {
 public:
  explicit Grid(const media::LiveSetup& setup)
      : setup_(setup), segment_parts_(setup.parts_per_segment()) {}

  std::int64_t segment_of_frame(std::int64_t frame) const { return frame / setup_.segment_frames; }
  std::int64_t first_frame_of_segment(std::int64_t segment) const {
    return segment * setup_.segment_frames;
  }
  bool begins_group(std::int64_t frame) const { return frame % setup_.group_frames == 0; }
  bool begins_segment(std::int64_t frame) const { return frame % setup_.segment_frames == 0; }

  std::int64_t first_part(std::int64_t segment) const { return segment * segment_parts_; }
  std::int64_t segment_of(std::int64_t part) const { return part / segment_parts_; }
  std::int64_t within_segment(std::int64_t part) const { return part % segment_parts_; }
  bool part_begins_group(std::int64_t part) const { return part % setup_.parts_per_group == 0; }
  bool part_ends_segment(std::int64_t part) const { return (part + 1) % segment_parts_ == 0; }
  std::int64_t first_frame(std::int64_t part) const {
    return first_frame_of_segment(segment_of(part)) + setup_.part_frame(within_segment(part));
  }
  std::int64_t part_of_frame(std::int64_t frame) const;

  /// The first unit of a part: the first picture not before its first frame, or the AAC frame
  /// nearest to that.
  std::int64_t first_unit(std::int64_t part, Units units) const;
  std::int64_t part_of_unit(std::int64_t unit, Units units) const;

  const media::LiveSetup& setup() const { return setup_; }

 private:
  media::LiveSetup setup_;
  std::int64_t segment_parts_;
};

}  // namespace relay::transcoder::live
