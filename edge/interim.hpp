// What upstream says before its answer, 103 (Early Hints) above all, on its way to the client whose
// request was sent on (RFC 9110 15.2). Who joins a flight, or gets a stored answer, hears nothing
// of it: it is advice for the time of waiting (RFC 8297), and never stored.
#pragma once

#include <memory>
#include <string_view>

#include "common/net/client.hpp"
#include "edge/visit.hpp"

namespace relay::edge {

/// Hands interim answers to the visit's client, as long as the visit lives and its answer has not
/// begun. Null for a client of HTTP/1.0, which must not get any. `edge_name` stands in Via.
std::weak_ptr<const net::OnInterim> interim_path(Visit& visit, std::string_view edge_name);

}  // namespace relay::edge
