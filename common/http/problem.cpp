#include "common/http/problem.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace relay::http {
namespace {

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

/// Length of the UTF-8 sequence at the front; 0 when it is malformed, overlong, a surrogate or
/// beyond U+10FFFF (Unicode 15, table 3-7).
std::size_t sequence_length(std::string_view text) {
  auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return 1;
  std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  if (!std::ranges::all_of(text.substr(1, length - 1), is_continuation)) return 0;
  auto second = static_cast<unsigned char>(text[1]);
  bool wrong = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
               (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
  return wrong ? 0 : length;
}

/// Someone behind us is at fault: the same trouble has another number then.
bool is_upstream(const Error& error) {
  return error.source == ErrorSource::upstream;
}

}  // namespace

int status_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::invalid:
      return is_upstream(error) ? 502 : 400;
    case ErrorKind::denied:
      return 401;
    case ErrorKind::forbidden:
      return 403;
    case ErrorKind::not_found:
      return 404;
    case ErrorKind::conflict:
      return 409;
    case ErrorKind::too_large:
      return is_upstream(error) ? 502 : 413;
    case ErrorKind::no_space:
      return 507;
    case ErrorKind::timeout:
      return error.source == ErrorSource::client ? 408 : 504;
    case ErrorKind::unavailable:
      return is_upstream(error) ? 502 : 503;
    case ErrorKind::aborted:
    case ErrorKind::corrupt:
      if (error.source == ErrorSource::client) return 400;
      return is_upstream(error) ? 502 : 500;
    case ErrorKind::internal:
      break;
  }
  return 500;
}

void append_json_string(std::string& into, std::string_view text) {
  into += '"';
  while (!text.empty()) {
    std::size_t length = sequence_length(text);
    auto first = static_cast<unsigned char>(text[0]);
    if (length == 0) {
      into += "\xef\xbf\xbd";
    } else if (first == '"' || first == '\\') {
      into += '\\';
      into += text[0];
    } else if (first < 0x20) {
      fmt::format_to(std::back_inserter(into), "\\u{:04x}", first);
    } else {
      into += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(1, length));
  }
  into += '"';
}

Response problem(int status, std::string_view detail,
                 std::initializer_list<ProblemMember> members) {
  Response response;
  response.status = status;
  response.headers =
      Headers{{"Content-Type", "application/problem+json"}, {"Cache-Control", "no-store"}};
  std::string& body = response.body;
  body = "{\"title\":";
  append_json_string(body, reason_phrase(status));
  fmt::format_to(std::back_inserter(body), ",\"status\":{},\"detail\":", status);
  append_json_string(body, detail);
  for (const ProblemMember& member : members) {
    body += ',';
    append_json_string(body, member.name);
    body += ':';
    if (member.quoted) {
      append_json_string(body, member.value);
    } else {
      body += member.value;
    }
  }
  body += "}\n";
  return response;
}

Response problem_of(const Error& error) {
  int status = status_of(error);
  bool ours = error.source == ErrorSource::internal || error.source == ErrorSource::disk;
  bool hidden = status == 500 && ours;
  Response response = problem(status, hidden ? "something went wrong here" : error.message);
  if (status == 401) response.headers.add("WWW-Authenticate", "Bearer");
  if (status == 503 && error.retry) response.headers.add("Retry-After", "1");
  return response;
}

Response method_not_allowed(std::string_view allowed, std::string_view detail) {
  Response response = detail.empty() ? problem(405, fmt::format("allowed here: {}", allowed))
                                     : problem(405, detail);
  response.headers.add("Allow", allowed);
  return response;
}

}  // namespace relay::http
