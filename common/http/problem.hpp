// Errors as RFC 9457 problem documents. Pure.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "common/base/error.hpp"
#include "common/http/message.hpp"

namespace relay::http {

/// The status that tells a client of this error: who is at fault decides between 4xx and 5xx.
int status_of(const Error& error);

struct ProblemMember {
  std::string_view name;
  std::string_view value;
  bool quoted = true;  // false: `value` is JSON already
};

/// {"title": the status's phrase, "status": ..., "detail": ..., members} as
/// application/problem+json, never cached. Bytes of `detail` that are no UTF-8 become U+FFFD.
Response problem(int status, std::string_view detail,
                 std::initializer_list<ProblemMember> members = {});

/// The same for an Error; 401 carries WWW-Authenticate, 503 Retry-After when trying again helps.
/// The text of internal errors stays inside.
Response problem_of(const Error& error);

/// 405 with the Allow that it owes (RFC 9110 15.5.6); without a `detail` it says the same in words.
Response method_not_allowed(std::string_view allowed, std::string_view detail = {});

/// `text` as a JSON string with its quotes.
void append_json_string(std::string& into, std::string_view text);

}  // namespace relay::http
