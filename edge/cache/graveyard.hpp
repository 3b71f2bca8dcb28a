// Removed bodies whose pages may not be used again yet: somebody holds a pin, or pages that were
// given to sendfile may still stand in a socket's queue. A socket gives up on unacknowledged data
// after limits::tcp_user_timeout, so the pages are free `grace` after the last use (DESIGN 4.5).
// Decides by the times it is given; owned by the store thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/limits.hpp"
#include "edge/cache/body.hpp"

namespace relay::edge::cache {

class Graveyard {
 public:
  static constexpr std::chrono::milliseconds grace =
      limits::tcp_user_timeout + std::chrono::seconds(5);

  /// Whether nobody holds or sends the pages of a body that has left the index.
  static bool is_free(const std::shared_ptr<Body>& body, SteadyTime now);
  /// The body left the index: pins can only become fewer from now on.
  void bury(std::shared_ptr<Body> body, SteadyTime now);
  /// Takes out the bodies whose pages are free now.
  std::vector<std::shared_ptr<Body>> release(SteadyTime now);
  std::size_t size() const { return buried_.size(); }

 private:
  struct Grave {
    std::shared_ptr<Body> body;
    SteadyTime last_held;  // when somebody was last known to hold it; the start of time: nobody
  };
  std::vector<Grave> buried_;
};

}  // namespace relay::edge::cache
