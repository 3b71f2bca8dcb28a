#include "edge/fleet/member_settings.hpp"

#include "common/media/media_path.hpp"
#include "common/net/client.hpp"

namespace relay::edge::fleet {

void check_edge_name(Schema& schema, std::string_view key, std::string_view name) {
  std::string_view what = key.substr(key.rfind('.') + 1);
  if (auto fits = media::check_name(what, name); !fits) {
    schema.reject(key, "is refused: " + fits.error().message);
  }
}

void check_url(Schema& schema, std::string_view key, std::string_view url) {
  if (auto endpoint = net::endpoint_of(url); !endpoint) {
    schema.reject(key, "is refused: " + endpoint.error().message);
  }
}

void describe_member(Schema& schema, Member& into) {
  schema.text("name", into.name, "that edge's edge.name; keys are placed by it");
  schema.text("url", into.url, "http://HOST:PORT where the other edges ask it");
  schema.number("weight", into.weight, "its share of the keys, relative to the others",
                {0.001, 1000});
  schema.text("zone", into.zone, "where it stands; copies in the own zone are asked for first");
  schema.flag("drain", into.drain, "whether it owns no keys, and only gives what it holds");
  check_edge_name(schema, "name", into.name);
  if (!into.zone.empty()) check_edge_name(schema, "zone", into.zone);
  check_url(schema, "url", into.url);
}

}  // namespace relay::edge::fleet
