// Segments that left their channel's playlists and can be had for a while yet (8216bis 6.2.2); they
// outlive the channel. On the channels' thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "origin/live/keeper.hpp"

namespace relay::origin::live {

class Leftovers {
 public:
  struct Segments {
    std::shared_ptr<const ChannelRecord> channel;
    std::string rendition;
    std::vector<std::int64_t> numbers;
  };
  void add(SteadyTime due, Segments segments) { by_due_.emplace(due, std::move(segments)); }
  /// Those whose time has come, each once.
  std::vector<Segments> take_due(SteadyTime now);

 private:
  std::multimap<SteadyTime, Segments> by_due_;
};

}  // namespace relay::origin::live
