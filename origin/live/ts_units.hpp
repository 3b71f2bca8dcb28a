// MPEG-TS as it comes in pieces, cut into units for a Feed: whole packets, and a unit of its own
// beginning where a key picture does. Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "common/base/error.hpp"
#include "origin/live/feed_queue.hpp"

namespace relay::origin::live {

class TsUnits {
 public:
  using Take = std::function<void(std::string_view unit, Unit kind)>;

  /// Gives each unit that is whole with these bytes to `take`. Errors (invalid): no transport
  /// stream is found in the first `sync_bytes_max` bytes, or for as long later on.
  Result<void> add(std::string_view bytes, const Take& take);

  static constexpr std::size_t sync_bytes_max = 64 * 1024;

 private:
  void give(std::string_view packets, const Take& take) const;
  std::string rest_;         // not given out yet, less than a packet, or without a packet found
  std::size_t skipped_ = 0;  // since the last packet
};

}  // namespace relay::origin::live
