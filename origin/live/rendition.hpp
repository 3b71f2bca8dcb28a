// One rendition of a channel as readers on every worker see it: an immutable view that is replaced
// with every part, and the means to wait for the next one.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/shared_value.hpp"
#include "common/media/live_playlist.hpp"
#include "common/net/broadcast.hpp"
#include "origin/live/segment.hpp"

namespace relay::origin::live {

struct View {
  media::LiveWindow window;
  media::LivePosition next;
  WallTime modified{};
  std::vector<Segment> recent;  // those whose parts can still be asked for, the open one last

  bool is_empty() const { return window.segments.empty(); }
};

/// Whether a part can be had.
enum class PartFound { there, coming, never };

struct Rendition {
  explicit Rendition(std::string its_name) : name(std::move(its_name)) {}
  const std::string name;
  SharedValue<const View> view{std::make_shared<const View>()};
  net::Broadcast changed;
  std::atomic<bool> closed{false};  // deleted, or the origin stops: nobody need wait any more
};

/// `part` is set when it is there: a piece of the segment's file.
struct PartPlace {
  PartFound found = PartFound::never;
  std::uint64_t offset = 0;
  Part part;
};
/// The next part, and it alone, is coming (6.2.2: what was hinted); others are never.
PartPlace find_part(const View& view, std::int64_t segment, std::int64_t part);

}  // namespace relay::origin::live
