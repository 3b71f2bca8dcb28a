#include "origin/body.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace relay::origin {
namespace {

constexpr std::size_t step_bytes = 64 * 1024;

Error too_large(std::size_t bytes_max) {
  return Error{
      ErrorKind::too_large, ErrorSource::client, false,
      fmt::format("the body is larger than the {} bytes that are allowed here", bytes_max)};
}

}  // namespace

net::Task<Result<std::string>> read_whole_body(net::Exchange& exchange, std::size_t bytes_max) {
  const http::BodyFraming framing = exchange.request().body;
  std::size_t room = step_bytes;
  if (framing.kind == http::BodyKind::length) {
    if (framing.length > bytes_max) co_return std::unexpected(too_large(bytes_max));
    room = static_cast<std::size_t>(framing.length) + 1;  // one more to see the end
  }
  std::string body;
  std::size_t have = 0;
  while (true) {
    if (have == body.size()) body.resize(std::max(room, body.size() * 2));
    auto got = co_await exchange.read_body(std::span(body).subspan(have));
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) break;
    have += *got;
    if (have > bytes_max) co_return std::unexpected(too_large(bytes_max));
  }
  body.resize(have);
  co_return body;
}

}  // namespace relay::origin
