#include "origin/media_answers.hpp"

#include <fmt/format.h>

#include "common/http/conditional.hpp"
#include "common/http/problem.hpp"
#include "origin/media_headers.hpp"

namespace relay::origin {

http::Response problem_answer(const Error& error) {
  http::Response response = http::problem_of(error);
  if (error.kind == ErrorKind::not_found) response.headers.set("Cache-Control", lifetime_missing);
  add_cross_origin(response.headers);
  return response;
}

std::optional<http::Response> conditional_answer(const http::RequestHead& request,
                                                 const http::Headers& headers) {
  switch (http::evaluate(request.fields, request.method, headers.fields())) {
    case http::Precondition::proceed:
      return std::nullopt;
    case http::Precondition::not_modified:
      return http::Response{304, headers, ""};
    case http::Precondition::failed:
      break;
  }
  http::Response response =
      http::problem(412, "what is stored is not what If-Match or If-Unmodified-Since asked for");
  add_cross_origin(response.headers);
  return response;
}

http::RangeDecision asked_range(const http::RequestHead& request, const http::Headers& headers,
                                std::uint64_t length) {
  auto range = http::find(request.fields, "Range");
  if (request.method != "GET" || !range) return {};
  auto if_range = http::find(request.fields, "If-Range");
  if (if_range && !http::if_range_holds(*if_range, http::validators_of(headers))) return {};
  return http::decide_range(*range, length);
}

http::Response unsatisfiable(std::uint64_t length) {
  http::Response response =
      http::problem(416, fmt::format("the range lies outside of the {} bytes", length));
  response.headers.add("Content-Range", http::write_content_range_unsatisfied(length));
  add_cross_origin(response.headers);
  return response;
}

}  // namespace relay::origin
