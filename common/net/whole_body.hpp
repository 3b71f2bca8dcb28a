// Reads a body that is small enough to be held in memory.
#pragma once

#include <cstddef>
#include <string>

#include "common/base/error.hpp"
#include "common/net/client.hpp"
#include "common/net/handler.hpp"

namespace relay::net {

/// All of a request's body, or of an answer's. What is held grows with what has come, not with what
/// is promised. Errors: too_large (more than `bytes_max`, in bytes), and those of reading on.
Task<Result<std::string>> read_whole_body(Exchange& exchange, std::size_t bytes_max);
Task<Result<std::string>> read_whole_body(ClientResponse& response, std::size_t bytes_max);

}  // namespace relay::net
