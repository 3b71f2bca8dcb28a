// Which stored responses an answer makes invalid (RFC 9111 4.4). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/http/message.hpp"

namespace relay::edge {

/// Whether an answer to this method makes the stored response of its target invalid: any method
/// that is not known to be safe, and a status of 2xx or 3xx.
bool invalidates(std::string_view method, int status);

/// Primary keys of what an answer that invalidates() speaks of: the target itself, then Location
/// and Content-Location when they lead to the same host, each once. What another host's name
/// stands in is left alone: nobody may purge for others.
std::vector<std::string> invalidated_keys(const http::RequestHead& request, http::Fields response,
                                          bool key_host);

/// Whether the answer's body is the target's new representation: its Content-Location is the target
/// itself (RFC 9110 6.4.2, 9.3.3).
bool names_target(const http::RequestHead& request, http::Fields response, bool key_host);

}  // namespace relay::edge
