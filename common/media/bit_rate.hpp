// What a rendition really costs: peak and average bit rate over its segments, as RFC 8216bis
// (4.4.6.2 and "peak segment bit rate" of 1.) means them. Pure.
#pragma once

#include <cstdint>
#include <deque>

namespace relay::media {

class BitRate {
 public:
  explicit BitRate(double target_duration_s) : target_duration_s_(target_duration_s) {}
  /// Segments in their order.
  void add(std::uint64_t bytes, double duration_s);

  bool measured() const { return seconds_ > 0; }
  /// bit/s, rounded up: the largest of any run of segments that lasts 0.5 to 1.5 target
  /// durations; of the whole, when no run is that long.
  std::int64_t peak() const;
  std::int64_t average() const;

 private:
  struct Piece {
    double bits;
    double seconds;
  };
  double target_duration_s_;
  double bits_ = 0;
  double seconds_ = 0;
  double peak_ = 0;
  std::deque<Piece> recent_;  // the newest, together at most 1.5 target durations and one more
};

}  // namespace relay::media
