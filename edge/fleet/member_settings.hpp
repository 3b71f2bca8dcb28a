// How a member is described, in the config file and wherever else one comes from: the same keys,
// the same rules.
#pragma once

#include <string_view>

#include "common/base/settings.hpp"
#include "edge/fleet/ring.hpp"

namespace relay::edge::fleet {

/// Keys of a member: name, url, weight, zone, drain.
void describe_member(Schema& schema, Member& into);

/// Rejects `key` unless `name` may name an edge or a zone.
void check_edge_name(Schema& schema, std::string_view key, std::string_view name);
/// Rejects `key` unless it is http://HOST:PORT.
void check_url(Schema& schema, std::string_view key, std::string_view url);

}  // namespace relay::edge::fleet
