// Whether the answer to one request may be given to all who wait for it, and for how long it is
// remembered that a key's answer may not: hit-for-miss, so that its requests do not queue behind
// one another in vain. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "common/http/message.hpp"

namespace relay::edge {

/// Why the answer to a GET may not be shared: a literal for logs. Empty when it may, as far as its
/// head tells: a body without a length may still grow over `object_bytes_max`.
std::string_view unshareable(const http::ResponseHead& answer, const http::BodyFraming& framing,
                             http::Fields request, std::uint64_t object_bytes_max);

/// Whether that is certain already: the length is known as well.
bool is_shareable(const http::ResponseHead& answer, const http::BodyFraming& framing,
                  http::Fields request, std::uint64_t object_bytes_max);

/// How long upstream is not asked about a stale copy again after it failed to tell of it, so that
/// an upstream that is down (no answer, 500, 502 to 504) gets a request a moment for each key, not
/// one a viewer.
inline constexpr std::chrono::milliseconds failure_memory{1'000};

/// How long the next requests for a key do not wait for one another after such an answer: shorter
/// after a refusal, for what is not there may come any moment and what was refused may have been so
/// to one viewer only. nullopt after a failure of the upstream, or when it asks to be left alone
/// (408, 425, 429): once that has passed, what comes next shall be one fetch at once.
std::optional<std::chrono::milliseconds> unshared_memory_after(int status);

}  // namespace relay::edge
