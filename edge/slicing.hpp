// How a large body is cut into slices that are fetched and stored one by one (DESIGN invariant 1:
// never mixed across versions). Pure.
//
// The head of the whole stands under the body's own key and pins a validator; each slice stands
// under a key made of that validator, so that slices of two versions never meet. A slice is asked
// for with Range and If-Range, and taken only from a 206 of exactly that range and version.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/http/message.hpp"
#include "common/http/range.hpp"
#include "edge/stored.hpp"

namespace relay::edge {

/// Shorter bodies are fetched and kept whole.
inline constexpr std::uint64_t sliced_from_slices = 4;
/// Of one body; larger ones only pass through.
inline constexpr std::uint64_t slices_max = 131'072;

/// Whether a response shows which version of its body it is: a strong ETag, or a Last-Modified that
/// is as good as one (RFC 9110 8.8.2.2). Bytes of two answers make one body only under such a one.
bool pins_version(http::Fields response);

/// Whether a body of that length, answered in full, is fetched by slices: the upstream does ranges
/// and pins the version.
bool may_slice(int status, http::Fields response, std::uint64_t length, std::uint64_t slice_bytes);

/// The value of If-Range for more of this version (RFC 9110 13.1.5).
std::string_view pinned_validator(const StoredResponse& stored);
/// Whether a response brings bytes of the pinned version.
bool shows_pinned_version(const StoredResponse& pinned, http::Fields response);
bool same_version(const StoredResponse& a, const StoredResponse& b);

/// How many slices the body of `stored` has, and which bytes are in one of them.
std::uint64_t slice_count(const StoredResponse& stored, std::uint64_t slice_bytes);
http::ByteRange slice_range(const StoredResponse& stored, std::uint64_t slice_bytes,
                            std::uint64_t number);
/// Where a slice stands. It begins with `key`, that of the body, so what purges that takes it too.
std::string slice_key(std::string_view key, const StoredResponse& stored, std::uint64_t slice_bytes,
                      std::uint64_t number);
/// FlightTable remembers under it that the upstream does no ranges after all.
std::string no_ranges_key(std::string_view key);

/// Whether this is how one member asks another for a slice: one whole range under a validator.
bool asks_for_slice(const http::RequestHead& request);

/// What an answer to a request for a range of the pinned version is.
enum class SliceAnswer {
  slice,          // these bytes of this version
  other_version,  // the body has changed, or is gone
  no_ranges,      // the whole of this version: the upstream does no ranges
  failure,        // an error of the upstream that says nothing about the version
};
SliceAnswer judge_slice(const StoredResponse& pinned, const http::ByteRange& asked, int status,
                        http::Fields response);

}  // namespace relay::edge
