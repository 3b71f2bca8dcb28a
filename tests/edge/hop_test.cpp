#include "edge/fleet/hop.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "common/http/trail.hpp"

namespace relay::edge::fleet {
namespace {

TEST(Hop, the_way_of_a_request_decides_how_far_it_may_go) {
  struct {
    std::vector<http::Field> request;
    HopRoute route;
    std::string_view reason;
  } cases[] = {
      {{}, HopRoute::peer_or_origin, ""},
      {{{"CDN-Loop", ""}}, HopRoute::peer_or_origin, ""},
      {{{"CDN-Loop", "othercdn"}}, HopRoute::peer_or_origin, ""},
      {{{"CDN-Loop", "torchrelay"}}, HopRoute::peer_or_origin, ""},
      {{{"CDN-Loop", ".torchrelay"}}, HopRoute::peer_or_origin, ""},
      {{{"CDN-Loop", "edge-2.torchrelay"}}, HopRoute::owner_or_origin, ""},
      {{{"cdn-loop", "othercdn, Edge-2.Torchrelay; a=\"b\""}}, HopRoute::owner_or_origin, ""},
      {{{"CDN-Loop", "othercdn"}, {"CDN-Loop", "edge-2.torchrelay"}},
       HopRoute::owner_or_origin,
       ""},
      {{{"CDN-Loop", "othercdn; a=\"edge-2.torchrelay\""}}, HopRoute::peer_or_origin, ""},
      {{{"CDN-Loop", "edge-1.torchrelay"}}, HopRoute::refuse, "loop"},
      {{{"CDN-Loop", "x, edge-1.torchrelay;v=1, y"}}, HopRoute::refuse, "loop"},
      {{{"CDN-Loop", "edge-11.torchrelay"}}, HopRoute::owner_or_origin, ""},
      {{{"CDN-Loop", "edge-1"}}, HopRoute::peer_or_origin, ""},
      {{{"CDN-Loop", "a, b, c"}}, HopRoute::peer_or_origin, ""},
      {{{"CDN-Loop", "a, b, c, d"}}, HopRoute::refuse, "too many hops"},
      {{{"CDN-Loop", "a, b"}, {"CDN-Loop", "c, d"}}, HopRoute::refuse, "too many hops"},
  };
  for (const auto& c : cases) {
    Hop hop = judge_hop(c.request, "edge-1", 3, true);
    std::string_view sent = c.request.empty() ? "" : c.request[0].value;
    EXPECT_EQ(static_cast<int>(hop.route), static_cast<int>(c.route)) << sent;
    EXPECT_EQ(hop.reason, c.reason) << sent;
  }
}

TEST(Hop,
     what_one_edge_forwards_goes_to_an_earlier_owner_or_the_origin_and_is_refused_when_it_returns) {
  http::Headers request;
  http::append_cdn_loop(request, loop_name("edge-1"));
  EXPECT_EQ(request.find("CDN-Loop"), "edge-1.torchrelay");
  EXPECT_EQ(judge_hop(request, "edge-2", 4, true).route, HopRoute::owner_or_origin);
  http::append_cdn_loop(request, loop_name("edge-2"));
  EXPECT_EQ(judge_hop(request, "edge-1", 4, true).route, HopRoute::refuse);
}

TEST(Hop, one_that_is_not_trusted_is_a_viewer_and_cannot_loop_either) {
  http::Headers request{{"CDN-Loop", "edge-2.torchrelay"}};
  EXPECT_EQ(judge_hop(request, "edge-1", 4, false).route, HopRoute::peer_or_origin);
  EXPECT_EQ(judge_hop(request, "edge-2", 4, false).route, HopRoute::refuse);
}

}  // namespace
}  // namespace relay::edge::fleet
