#include "transcoder/timeline_joiner.hpp"

#include <algorithm>
#include <cstdlib>

namespace relay::transcoder {

namespace {
constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t backward_ns = 10 * second;  // less is reordering or a small overlap
// One turn of the 33-bit clock of MPEG-TS and -PS, 2^33 / 90,000 s, to the nanosecond.
constexpr std::int64_t turn_ns = 95'443'717'688'889;
}  // namespace

bool TimelineJoiner::is_jump(const Stream& stream, std::int64_t joined) const {
  if (joined < stream.next - backward_ns) return true;
  return joined > std::max(latest_, stream.next) + forward_ns_;
}

std::int64_t TimelineJoiner::offset_ns(int index, std::int64_t dts, std::int64_t duration) {
  Stream& stream = streams_[static_cast<std::size_t>(index)];
  if (!stream.seen) {
    stream.seen = true;
    for (const Stream& other : streams_)
      if (other.seen && &other != &stream) stream.offset = other.offset;
    stream.next = dts + stream.offset;
    // Two streams of one source that begin further apart than any jump have unrelated clocks.
    if (latest_ != INT64_MIN && std::abs(stream.next - latest_) > forward_ns_) {
      stream.offset = latest_ - dts;
      stream.next = latest_;
    }
  } else if (is_jump(stream, dts + stream.offset)) {
    std::int64_t move = stream.next - dts;
    for (const Stream& other : streams_)
      if (other.seen && std::abs(dts + other.offset - stream.next) < second) move = other.offset;
    if (std::abs(dts + stream.offset + turn_ns - stream.next) < backward_ns)
      move = stream.offset + turn_ns;
    stream.offset = move;
  }
  stream.next = dts + stream.offset + std::max<std::int64_t>(duration, 0);
  latest_ = std::max(latest_, stream.next);
  return stream.offset;
}

}  // namespace relay::transcoder
