#include "origin/live/rendition.hpp"

namespace relay::origin::live {

PartPlace find_part(const View& view, std::int64_t segment, std::int64_t part) {
  for (const Segment& each : view.recent) {
    if (each.number != segment) continue;
    auto index = static_cast<std::size_t>(part);
    if (index < each.parts.size())
      return {PartFound::there, each.offset_of(index), each.parts[index]};
  }
  media::LivePosition hinted = media::hinted_of(view.window);
  bool is_next = segment == hinted.segment && part == hinted.part;
  bool is_open = !view.window.ended && !view.is_empty();
  return {is_next && is_open ? PartFound::coming : PartFound::never, 0, {}};
}

}  // namespace relay::origin::live
