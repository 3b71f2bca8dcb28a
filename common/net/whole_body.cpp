#include "common/net/whole_body.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace relay::net {
namespace {

constexpr std::size_t first_bytes = 4 * 1024;

Error too_large(std::size_t bytes_max, ErrorSource source) {
  return Error{
      ErrorKind::too_large, source, false,
      fmt::format("the body is larger than the {} bytes that are allowed here", bytes_max)};
}

/// `read` fills a span and gives how much that was; 0 at the end.
template <class Read>
Task<Result<std::string>> read_whole(const http::BodyFraming& framing, std::size_t bytes_max,
                                     ErrorSource source, Read& read) {
  bool sized = framing.kind == http::BodyKind::length;
  if (sized && framing.length > bytes_max) co_return std::unexpected(too_large(bytes_max, source));
  // One more than there may be, to see the end.
  std::size_t most = (sized ? static_cast<std::size_t>(framing.length) : bytes_max) + 1;
  std::string body;
  std::size_t have = 0;
  while (true) {
    if (have == body.size()) body.resize(std::min(most, std::max(first_bytes, 2 * have)));
    auto got = co_await read(std::span(body).subspan(have));
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) break;
    have += *got;
    if (have > bytes_max) co_return std::unexpected(too_large(bytes_max, source));
  }
  body.resize(have);
  co_return body;
}

}  // namespace

Task<Result<std::string>> read_whole_body(Exchange& exchange, std::size_t bytes_max) {
  auto read = [&](std::span<char> into) { return exchange.read_body(into); };
  co_return co_await read_whole(exchange.request().body, bytes_max, ErrorSource::client, read);
}

Task<Result<std::string>> read_whole_body(ClientResponse& response, std::size_t bytes_max) {
  auto read = [&](std::span<char> into) { return response.read(into); };
  co_return co_await read_whole(response.framing(), bytes_max, ErrorSource::upstream, read);
}

}  // namespace relay::net
