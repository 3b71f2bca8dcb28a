// Where production begins. A segment is made whole or not at all, for a playlist that has shown its
// parts cannot take them back; so one that is begun in its midst begins with its first frame, for
// which the first picture stands in, unless most of it is over. One that an earlier transcoder left
// half done is taken up, in each track behind that track's last part. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "transcoder/live/grid.hpp"

namespace relay::transcoder::live {

/// Frames that are made up for at once.
struct Stretch {
  std::int64_t first = 0, end = 0;
  bool goes_on = true;  // production has begun: behind `end` each frame is made in its time
};

class Beginning {
 public:
  /// `frame` is now: what is over cannot be made any more, but for what is to be taken up.
  /// `grid` outlives this.
  Beginning(const Grid& grid, const media::LiveJob& job, std::int64_t frame);

  /// To be asked at each frame while nothing is made; `wanted`: there is something to show.
  /// Nothing: not yet.
  std::optional<Stretch> at(std::int64_t frame, bool wanted);
  /// The first part that a rendition makes of what at() let begin, as Grid counts them.
  std::int64_t first_part(std::string_view rendition) const;
  /// What is begun before this segment is given up.
  void not_before(std::int64_t segment);

 private:
  std::optional<Stretch> take_up(std::int64_t frame, bool wanted);
  std::int64_t part_of(const media::LiveBegun& begun) const;

  const Grid& grid_;
  std::int64_t first_segment_;
  std::vector<media::LiveBegun> left_;  // to be taken up; empty: nothing
  Stretch left_frames_;                 // from the first of any rendition to the end of its segment
  std::vector<media::LiveBegun> taken_up_;  // of what at() let begin
  std::int64_t begun_part_ = 0;             // of those that are not taken up
};

}  // namespace relay::transcoder::live
