// Waiting for a flight to get on. The flight outlives the wait.
#pragma once

#include "common/net/task.hpp"
#include "edge/flight.hpp"

namespace relay::edge {

/// Until its head is known, or it ended without one.
net::Task<FlightView> past_asking(Flight& flight);
/// Until no more of its body comes.
net::Task<FlightView> past_streaming(Flight& flight);

}  // namespace relay::edge
