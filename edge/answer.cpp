#include "edge/answer.hpp"

#include <algorithm>
#include <charconv>

#include "common/http/conditional.hpp"

namespace relay::edge {
namespace {

bool is_conditional_or_ranged(http::Fields fields) {
  return std::ranges::any_of(fields, [](const http::Field& field) {
    return (field.name.size() > 3 && http::same_name(field.name.substr(0, 3), "if-")) ||
           http::same_name(field.name, "range");
  });
}

std::optional<http::DateTime> date_of(const StoredResponse& stored) {
  std::vector<http::Field> fields = stored.fields();
  return http::read_date(http::find(fields, "Date").value_or(""));
}

http::Validators validators_of(const StoredResponse& stored) {
  http::Validators validators;
  if (!stored.etag.empty()) validators.etag = stored.etag;
  if (!stored.last_modified.empty()) {
    validators.last_modified = http::read_date(stored.last_modified);
  } else {
    validators.generated = date_of(stored);
  }
  return validators;
}

bool if_range_holds(std::string_view if_range, const StoredResponse& stored) {
  http::Validators validators = validators_of(stored);
  validators.generated = date_of(stored);
  return http::if_range_holds(if_range, validators);
}

AnswerPlan plan_range(const http::RequestHead& request, const StoredResponse& stored,
                      std::uint64_t length) {
  auto range = http::find(request.fields, "Range");
  if (!range || http::count(request.fields, "Range") > 1) return {};
  auto if_range = http::find(request.fields, "If-Range");
  if (if_range && !if_range_holds(*if_range, stored)) return {};
  auto decision = http::decide_range(*range, length);
  switch (decision.kind) {
    case http::RangeKind::whole:
      return {};
    case http::RangeKind::single:
      return {AnswerKind::part, {decision.range}, 0};
    case http::RangeKind::several:
      return {AnswerKind::parts, std::move(decision.ranges), 0};
    case http::RangeKind::unsatisfiable:
      return {AnswerKind::unsatisfiable, {}, 0};
  }
  return {};
}

void append_number_field(std::string& text, std::string_view name, std::uint64_t number) {
  char digits[20];
  auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  text += name;
  text.append(digits, end);
  text += "\r\n";
}

void append_partial_fields(std::string& text, const StoredResponse& stored, bool multipart) {
  for (const http::Field& field : stored.fields()) {
    if (multipart && http::same_name(field.name, "Content-Type")) continue;
    if (http::same_name(field.name, "Content-Range")) continue;
    text.append(field.name).append(": ").append(field.value).append("\r\n");
  }
}

}  // namespace

AnswerPlan plan_answer(const http::RequestHead& request, const StoredResponse& stored,
                       std::optional<std::uint64_t> length) {
  if (stored.status != 200 || !is_conditional_or_ranged(request.fields)) return {};
  http::Validators validators = validators_of(stored);
  switch (http::evaluate(request.fields, request.method, validators)) {
    case http::Precondition::not_modified:
      return {AnswerKind::not_modified, {}, 0};
    case http::Precondition::failed:
      return {AnswerKind::for_origin, {}, 0};
    case http::Precondition::proceed:
      break;
  }
  if (!length || request.method != "GET") return {};
  return plan_range(request, stored, *length);
}

bool is_for_origin(const http::RequestHead& request, const StoredResponse& stored) {
  bool may_be =
      http::find(request.fields, "If-Match") || http::find(request.fields, "If-Unmodified-Since");
  return may_be && plan_answer(request, stored, std::nullopt).kind == AnswerKind::for_origin;
}

int status_of(const AnswerPlan& plan, const StoredResponse& stored) {
  switch (plan.kind) {
    case AnswerKind::whole:
      return stored.status;
    case AnswerKind::not_modified:
      return 304;
    case AnswerKind::part:
    case AnswerKind::parts:
      return 206;
    case AnswerKind::unsatisfiable:
      return 416;
    case AnswerKind::for_origin:
      break;
  }
  return 500;
}

std::uint64_t body_length_of(const AnswerPlan& plan, const StoredResponse& stored,
                             std::uint64_t length) {
  switch (plan.kind) {
    case AnswerKind::whole:
      return length;
    case AnswerKind::part:
      return plan.ranges.front().length();
    case AnswerKind::parts:
      return http::multipart_length(part_boundary, stored.content_type, plan.ranges, length);
    default:
      return 0;
  }
}

void append_head(std::string& text, const AnswerPlan& plan, const StoredResponse& stored,
                 std::uint64_t length, std::chrono::milliseconds age) {
  bool bodyless = plan.kind == AnswerKind::not_modified || stored.status == 204;
  if (plan.kind == AnswerKind::whole) {
    text += stored.head_text;
  } else if (plan.kind == AnswerKind::not_modified) {
    text += stored.not_modified_text;
  } else {
    text += "HTTP/1.1 206 Partial Content\r\n";
    append_partial_fields(text, stored, plan.kind == AnswerKind::parts);
    if (plan.kind == AnswerKind::parts) {
      text.append("Content-Type: multipart/byteranges; boundary=").append(part_boundary);
    } else {
      text.append("Content-Range: ");
      text += http::write_content_range(plan.ranges.front(), length);
    }
    text += "\r\n";
  }
  if (!bodyless) {
    append_number_field(text, "Content-Length: ", body_length_of(plan, stored, length));
  }
  append_number_field(
      text,
      "Age: ", static_cast<std::uint64_t>(std::chrono::floor<std::chrono::seconds>(age).count()));
}

}  // namespace relay::edge
