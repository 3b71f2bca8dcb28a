#include "edge/sharing.hpp"

#include "edge/cache_key.hpp"
#include "edge/freshness.hpp"

namespace relay::edge {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds unshared_memory{10'000};
constexpr milliseconds unshared_memory_of_absence{1'000};

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
  if (status >= 500) return std::nullopt;
  return is_absence(status) ? unshared_memory_of_absence : unshared_memory;
}

}  // namespace relay::edge
