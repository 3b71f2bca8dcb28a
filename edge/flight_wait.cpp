#include "edge/flight_wait.hpp"

namespace relay::edge {
namespace {

using Settled = bool (*)(FlightState);

net::Task<FlightView> wait_until(Flight& flight, Settled settled, SteadyTime until) {
  while (true) {
    std::uint64_t version = flight.changed().version();
    FlightView view = flight.view();
    if (settled(view.state) || steady_now() >= until) co_return view;
    co_await flight.changed().wait(version);
  }
}

bool knows_head(FlightState state) {
  return state != FlightState::asking;
}

bool has_ended(FlightState state) {
  return state != FlightState::asking && state != FlightState::streaming;
}

}  // namespace

net::Task<FlightView> past_asking(Flight& flight, SteadyTime until) {
  return wait_until(flight, knows_head, until);
}

net::Task<FlightView> past_streaming(Flight& flight) {
  return wait_until(flight, has_ended, SteadyTime::max());
}

}  // namespace relay::edge
