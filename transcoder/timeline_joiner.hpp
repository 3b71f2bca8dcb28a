// Joins the times of a source over wraps and jumps, so that they only go on. Pure.
//
// A stream that jumps back, or ahead of everything seen, is moved so that it goes on where it was.
// When its companion makes the same jump it gets the same move: sound and picture stay together.
#pragma once

#include <cstdint>
#include <vector>

namespace relay::transcoder {

class TimelineJoiner {
 public:
  /// `forward_ns`: a step ahead longer than this is a jump.
  TimelineJoiner(int streams, std::int64_t forward_ns) : forward_ns_(forward_ns) {
    streams_.resize(static_cast<std::size_t>(streams));
  }

  /// What to add to the times of a packet of `stream` decoded at `dts_ns` for `duration_ns`.
  std::int64_t offset_ns(int stream, std::int64_t dts_ns, std::int64_t duration_ns);

 private:
  struct Stream {
    bool seen = false;
    std::int64_t offset = 0;
    std::int64_t next = 0;  // joined time at which the next packet is expected
  };
  bool is_jump(const Stream& stream, std::int64_t joined) const;

  std::int64_t forward_ns_;
  std::int64_t latest_ = INT64_MIN;  // joined, of all streams
  std::vector<Stream> streams_;
};

}  // namespace relay::transcoder
