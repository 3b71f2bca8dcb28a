// Reads the head of an HTTP/1 message and judges it in one pass: the framing gate. What two
// parsers might read differently is refused before anything else looks at it (reference: RFC 9112
// 2.2, 3, 5, 6.1–6.3, 11.2). Strict on purpose: CRLF only, tokens only, origin-form only. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <expected>
#include <string_view>

#include "common/base/limits.hpp"
#include "common/http/message.hpp"

namespace relay::http {

/// Why a message is refused. `status` is what a client is told (400, 414, 431, 501, 505); on an
/// upstream's answer the flight ends instead. The connection closes in both cases.
struct Refusal {
  int status = 400;
  std::string_view reason;  // a literal
};

/// Where a parser keeps its fields; reused from message to message.
using FieldStore = std::array<Field, limits::header_fields_max>;

/// Length of the head including its empty line; 0 when the bytes do not hold the end yet.
/// `scanned` remembers how far an earlier call looked, so that no byte is looked at twice.
std::size_t head_length(std::string_view bytes, std::size_t& scanned);

/// `head` is exactly what head_length() measured. Views point into `head` and `store`.
std::expected<RequestHead, Refusal> read_request_head(std::string_view head, FieldStore& store);

struct ResponseHeadView {
  int status = 0;
  int minor_version = 1;
  Fields fields;
  BodyFraming body;
  bool keep_alive = true;
};

/// `request_method` decides whether a body follows (HEAD has none). 1xx heads are read too, with
/// no body (one that promises a body is refused); the answer is still to come.
std::expected<ResponseHeadView, Refusal> read_response_head(std::string_view head,
                                                            std::string_view request_method,
                                                            FieldStore& store);

}  // namespace relay::http
