// What a request gets from a stored response: whole, in part, "not modified", or a refusal; and
// the head that says so. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/http/message.hpp"
#include "common/http/range.hpp"
#include "edge/stored.hpp"

namespace relay::edge {

enum class AnswerKind { whole, not_modified, part, parts, unsatisfiable, for_origin };

struct AnswerPlan {
  AnswerKind kind = AnswerKind::whole;
  std::vector<http::ByteRange> ranges;  // one for part, several for parts
  std::uint64_t body_from = 0;          // where in the whole the bytes at hand begin
};

/// Conditions first, then ranges (RFC 9110 13.2.2); both only of a stored 200. With no `length`
/// (a body still growing, its end unknown) ranges are ignored. If-Match and If-Unmodified-Since are
/// not a cache's to judge (RFC 9111 4.3.2): where they do not hold here the origin is to be asked.
AnswerPlan plan_answer(const http::RequestHead& request, const StoredResponse& stored,
                       std::optional<std::uint64_t> length);
/// Whether that plan is for_origin, whatever the length: to be known before anything is delivered.
bool is_for_origin(const http::RequestHead& request, const StoredResponse& stored);

/// Status and length of the body that a plan leads to; none is for_origin.
int status_of(const AnswerPlan& plan, const StoredResponse& stored);
std::uint64_t body_length_of(const AnswerPlan& plan, const StoredResponse& stored,
                             std::uint64_t length);

/// For plans whole, not_modified, part and parts: status line and fields with Content-Length and
/// Age, in the form of Exchange::begin_raw(), without field lines of this hop.
void append_head(std::string& text, const AnswerPlan& plan, const StoredResponse& stored,
                 std::uint64_t length, std::chrono::milliseconds age);

/// Between the parts of a multipart/byteranges body. Constant: it need only not occur at a line's
/// start in the body with this very prefix, and the parts' lengths are told beside.
inline constexpr std::string_view part_boundary = "torchrelay-part-5d1f0a8e7c3b4962";

}  // namespace relay::edge
