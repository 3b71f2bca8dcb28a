#include "edge/beginning.hpp"

#include "common/http/conditional.hpp"
#include "edge/answer.hpp"
#include "edge/fleet/hop.hpp"

namespace relay::edge {

std::optional<Beginning> told_beginning(const http::RequestHead& request) {
  auto member = http::find(request.fields, fleet::holder_field);
  auto range = http::find(request.fields, "Range");
  auto etag = http::find(request.fields, "If-Range");
  if (request.method != "GET" || !member || !range || !etag) return std::nullopt;
  auto asked = http::read_ranges(*range);
  bool for_rest = asked && asked->size() == 1 && asked->front().first && !asked->front().last;
  if (!for_rest || !http::same_strongly(*etag, *etag)) return std::nullopt;
  return Beginning{std::string(*member), *asked->front().first, std::string(*etag)};
}

std::optional<std::uint64_t> brings(const http::ResponseHead& head,
                                    const http::BodyFraming& framing, const http::ByteRange& asked,
                                    std::string_view etag) {
  auto told = http::read_content_range(http::find(head.headers, "Content-Range").value_or(""));
  bool fits = head.status == 206 && told && told->range == asked && told->length &&
              framing.kind == http::BodyKind::length && framing.length == asked.length() &&
              http::same_strongly(http::find(head.headers, "ETag").value_or(""), etag);
  return fits ? told->length : std::nullopt;
}

bool has_come(const http::RequestHead& request, const StoredResponse& stored, std::uint64_t length,
              std::uint64_t received) {
  AnswerPlan plan = plan_answer(request, stored, length);
  if (plan.kind != AnswerKind::part) return false;
  std::uint64_t last = plan.ranges.front().last;
  return last < received && last + 1 < length;
}

}  // namespace relay::edge
