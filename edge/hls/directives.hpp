// Delivery directives in the query of a playlist's address (RFC 8216bis-22 6.2.5): what a player of
// low latency waits for are the versions of one playlist. Pure.
#pragma once

#include <string>
#include <string_view>

namespace relay::edge::hls {

/// Whether the target, or key that ends with one, has such a parameter.
bool has_directives(std::string_view target);
/// The same without them; other parameters stay, in their order.
std::string without_directives(std::string_view target);
/// With more parameters behind those that are there.
std::string with_query(std::string_view target, std::string_view query);

/// Whether the target ends in "{n}.{p}.m4s": a part, of which nothing may be sent before all of it
/// is there (6.2.6).
bool is_part(std::string_view target);
/// Whether it is called like an HLS playlist.
bool is_playlist(std::string_view target);

}  // namespace relay::edge::hls
