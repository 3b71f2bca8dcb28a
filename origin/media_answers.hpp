// What every answer with media in it judges alike: errors, conditions and ranges. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "common/base/error.hpp"
#include "common/http/head.hpp"
#include "common/http/message.hpp"
#include "common/http/range.hpp"

namespace relay::origin {

http::Response problem_answer(const Error& error);

/// 304 or 412 when the request's conditions say so; `headers` has the validators.
std::optional<http::Response> conditional_answer(const http::RequestHead& request,
                                                 const http::Headers& headers);

/// What of a body of `length` bytes is asked for; the whole when If-Range does not hold.
http::RangeDecision asked_range(const http::RequestHead& request, const http::Headers& headers,
                                std::uint64_t length);
http::Response unsatisfiable(std::uint64_t length);

}  // namespace relay::origin
