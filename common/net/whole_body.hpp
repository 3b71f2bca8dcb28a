// Reads a request body that is small enough to be held in memory.
#pragma once

#include <cstddef>
#include <string>

#include "common/base/error.hpp"
#include "common/net/handler.hpp"

namespace relay::origin {

/// The whole body. Errors: too_large (more than `bytes_max`), and those of Exchange::read_body.
net::Task<Result<std::string>> read_whole_body(net::Exchange& exchange, std::size_t bytes_max);

}  // namespace relay::origin
