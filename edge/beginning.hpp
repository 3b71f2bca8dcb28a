// The beginning of a body that a member holds while the rest is missing there, because whom it read
// from has died. It asks its next source for the rest and says that it holds what comes before; who
// has nothing of the body then takes the beginning from that member, and only the rest from the
// origin, which so sends each byte about once. Pure.
//
// Versions never mix: only bytes under one strong ETag make a body (RFC 9110 15.3.7.3), and the
// origin has said that it still has that version (If-Range) before any byte is taken.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/http/message.hpp"
#include "common/http/range.hpp"
#include "edge/stored.hpp"

namespace relay::edge {

/// A shorter beginning comes from the origin, with the rest.
inline constexpr std::uint64_t beginning_bytes_min = 16 * 1024;
/// So much more than has come must a member hold to make it worth while to break off an answer
/// under way: what is on its way then is lost.
inline constexpr std::uint64_t beginning_gain_min = 256 * 1024;

struct Beginning {
  std::string member;       // who holds it
  std::uint64_t bytes = 0;  // of the body, from its first
  std::string etag;         // strong
};

/// What a member's request for a rest says that it holds itself. Nothing when it does not ask for
/// all from one byte on, under If-Range with a strong ETag.
std::optional<Beginning> told_beginning(const http::RequestHead& request);

/// The length of the whole, when an answer brings just these bytes of that version.
std::optional<std::uint64_t> brings(const http::ResponseHead& head,
                                    const http::BodyFraming& framing, const http::ByteRange& asked,
                                    std::string_view etag);

/// Whether all that is asked for is a part of what has come: so many bytes of a body of that
/// length, whose last byte is not given before all are there.
bool has_come(const http::RequestHead& request, const StoredResponse& stored, std::uint64_t length,
              std::uint64_t received);

}  // namespace relay::edge
