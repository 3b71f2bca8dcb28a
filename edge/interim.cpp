#include "edge/interim.hpp"

#include <string>

#include "common/http/trail.hpp"

namespace relay::edge {

std::weak_ptr<const net::OnInterim> interim_path(Visit& visit, std::string_view edge_name) {
  if (visit.request.minor_version == 0) return {};
  if (!visit.on_interim) {
    auto hand_on = [&exchange = visit.exchange,
                    name = std::string(edge_name)](const http::ResponseHead& came) {
      http::ResponseHead told{came.status, http::end_to_end(came.headers)};
      told.headers.remove("Content-Length");
      http::append_via(told.headers, 1, name);
      exchange.inform(told);
    };
    visit.on_interim = std::make_shared<const net::OnInterim>(std::move(hand_on));
  }
  return visit.on_interim;
}

}  // namespace relay::edge
