#include "edge/sharing.hpp"

#include "edge/cache_key.hpp"
#include "edge/freshness.hpp"

namespace relay::edge {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds unshared_memory{10'000};
/// A refusal may be one viewer's own: it does not keep the others apart for long.
constexpr milliseconds unshared_memory_of_refusal{1'000};

/// Of an origin that sheds load, which must not get everybody's request at once.
bool asks_to_wait(int status) {
  return status == 408 || status == 425 || status == 429 || status >= 500;
}

}  // namespace

std::string_view unshareable(const http::ResponseHead& answer, const http::BodyFraming& framing,
                             http::Fields request, std::uint64_t object_bytes_max) {
  Storable storable = may_store("GET", answer.status, request, answer.headers);
  if (!storable.yes) return storable.reason;
  if (!vary_names(answer.headers)) return "vary-any";
  bool too_large = framing.kind == http::BodyKind::length && framing.length > object_bytes_max;
  return too_large ? "too-large" : std::string_view();
}

bool is_shareable(const http::ResponseHead& answer, const http::BodyFraming& framing,
                  http::Fields request, std::uint64_t object_bytes_max) {
  bool known = framing.kind == http::BodyKind::length || framing.kind == http::BodyKind::none;
  return known && unshareable(answer, framing, request, object_bytes_max).empty();
}

std::optional<milliseconds> unshared_memory_after(int status) {
  if (asks_to_wait(status)) return std::nullopt;
  return status >= 400 ? unshared_memory_of_refusal : unshared_memory;
}

}  // namespace relay::edge
