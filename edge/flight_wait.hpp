// Waiting for a flight to get on. The flight outlives the wait.
#pragma once

#include "common/base/clock.hpp"
#include "common/net/task.hpp"
#include "edge/flight.hpp"

namespace relay::edge {

/// Until its head is known, or it ended without one; or, where its leader has those who wait look
/// at the clock (Fill::lead), until that time.
net::Task<FlightView> past_asking(Flight& flight, SteadyTime until = SteadyTime::max());
/// Until no more of its body comes.
net::Task<FlightView> past_streaming(Flight& flight);

}  // namespace relay::edge
