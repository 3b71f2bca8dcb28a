// Parts of a body that the cache holds without the rest (RFC 9111 3.3, 3.4): what may be kept of a
// 206, what it may answer, and how a held beginning is completed. Pure.
//
// A miss fetches the whole, whatever range the viewer wants. Only the last few bytes are different:
// where they lie the origin alone knows, and fetching a large file for its tail would be a waste.
// Such a request goes on as it is, and its answer is kept beside the place of the whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "edge/answer.hpp"
#include "edge/stored.hpp"

namespace relay::edge {

/// A larger tail is worth fetching the whole.
inline constexpr std::uint64_t part_bytes_max = 64 * 1024;

/// Where the part of that primary key stands; purges of the primary key take it along.
std::string part_key(std::string_view primary);

/// A GET for at most part_bytes_max bytes from the end, without conditions.
bool asks_for_tail(const http::RequestHead& request);

/// From a 206 that may_store_part() allowed.
StoredResponse make_part(std::string_view asked_range, http::Fields response, WallTime request_time,
                         WallTime response_time);

/// Which bytes of which whole a part is.
struct Extent {
  http::ByteRange range;
  std::uint64_t length = 0;
};

/// nullopt when Content-Range does not tell both, or contradicts the number of bytes held: then no
/// byte's place is sure.
std::optional<Extent> extent_of(const StoredResponse& part, std::uint64_t held_bytes);

/// The answer that a part can give: the same one to the very same Range, or a range that lies
/// wholly inside. nullopt: none.
std::optional<AnswerPlan> plan_from_part(const http::RequestHead& request,
                                         const StoredResponse& part, std::uint64_t held_bytes);

/// A held beginning can be completed by asking for what is behind it.
bool is_beginning(const StoredResponse& part, std::uint64_t held_bytes);

/// Whether a 206 goes on at byte `first` up to the end of a known length: which is returned.
std::optional<std::uint64_t> reaches_end(http::Fields response, std::uint64_t first);
/// The same, of the same version by its strong ETag (RFC 9110 15.3.7.3).
std::optional<std::uint64_t> continues(http::Fields response, std::uint64_t first,
                                       std::string_view etag);

/// The fields of the whole that a part and its continuation make: the newer ones win (RFC 9111
/// 3.4), Content-Range goes.
http::Headers fields_of_whole(const StoredResponse& part, http::Fields continuation);

}  // namespace relay::edge
