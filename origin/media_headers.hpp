// The header fields that media answers carry, and how long they may be kept. Pure.
#pragma once

#include <string>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/base/hash.hpp"
#include "common/http/date.hpp"
#include "common/http/message.hpp"

namespace relay::origin {

/// For answers whose bytes never change at their address.
inline constexpr std::string_view lifetime_immutable = "public, max-age=31536000, immutable";
/// A media playlist that still grows: half of the shortest target duration or less.
inline constexpr std::string_view lifetime_growing = "public, max-age=1";
/// One of a channel: whoever was shown more by another answer must never be given an older one, so
/// it is not used stale, not even when we are down.
inline constexpr std::string_view lifetime_live = "public, max-age=1, must-revalidate";
/// A media playlist after its end: its address has the version in it.
inline constexpr std::string_view lifetime_ended = "public, max-age=3600, stale-if-error=86400";
/// The multivariant playlist of a finished video: another version may take over at any time.
inline constexpr std::string_view lifetime_switchable =
    "public, max-age=5, stale-while-revalidate=30, stale-if-error=86400";
inline constexpr std::string_view lifetime_missing = "public, max-age=1";

/// Any page may play our media and see how it was delivered.
void add_cross_origin(http::Headers& headers);
/// The answer to a preflight (OPTIONS).
http::Response preflight();

/// `"HEX"`; `form` tells encodings of the same text apart: `"HEX-gzip"`.
std::string entity_tag(const Digest128& digest, std::string_view form = "");
http::DateTime modified_at(WallTime time);

}  // namespace relay::origin
