// Parts on their way to the origin: boxes around them, then the publisher. The first failure stays
// and ends the channel's process.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>

#include "common/base/error.hpp"
#include "transcoder/live/grid.hpp"
#include "transcoder/live/part_cutter.hpp"
#include "transcoder/publisher.hpp"
#include "transcoder/track.hpp"

namespace relay::transcoder::live {

/// Thread-safe, for parts of one track come one after another. `grid` and `publisher` outlive this.
class PartOutput {
 public:
  PartOutput(const Grid& grid, Publisher& publisher) : grid_(grid), publisher_(publisher) {}

  /// May wait for an origin that is slow. Nothing is sent behind the last part.
  void send(const TrackSpec& track, Part part);

  /// The thumbnails of a segment.
  void send_sheet(std::int64_t segment, std::string jpeg);

  /// The channel ends behind this part, which ends its segment.
  void end_with(std::int64_t part) { last_part_ = part; }

  void fail_with(Error error);
  bool failed() const { return failed_; }
  std::optional<Error> failure() const;

 private:
  const Grid& grid_;
  Publisher& publisher_;
  std::atomic<std::int64_t> last_part_ = INT64_MAX;
  std::atomic<bool> failed_ = false;
  mutable std::mutex mutex_;  // guards failure_
  std::optional<Error> failure_;
};

}  // namespace relay::transcoder::live
