// Any bytes as a request: an accepted head means the same when it is written again, and obeys the
// rules that every later room relies on.
#include <cstdlib>
#include <string>

#include "common/base/check.hpp"
#include "common/http/head.hpp"
#include "common/http/syntax.hpp"

namespace http = relay::http;

namespace {

void check_rules(const http::RequestHead& head) {
  RELAY_CHECK(http::is_token(head.method));
  RELAY_CHECK(head.target.starts_with('/'));
  RELAY_CHECK(head.target.find_first_of(std::string_view(" \t\r\n#\0", 6)) == head.target.npos);
  RELAY_CHECK(http::count(head.fields, "Host") == 1);
  std::size_t lengths = http::count(head.fields, "Content-Length");
  std::size_t codings = http::count(head.fields, "Transfer-Encoding");
  RELAY_CHECK(lengths + codings <= 1);
  RELAY_CHECK((head.body.kind == http::BodyKind::chunked) == (codings == 1));
  RELAY_CHECK((head.body.kind == http::BodyKind::length) == (lengths == 1));
  for (const http::Field& field : head.fields) {
    RELAY_CHECK(http::is_token(field.name));
    RELAY_CHECK(field.value == http::trim(field.value));
    RELAY_CHECK(field.value.find_first_of(std::string_view("\r\n\0", 3)) == field.value.npos);
  }
}

std::string write(const http::RequestHead& head) {
  std::string text(head.method);
  text.append(" ").append(head.target).append(head.minor_version ? " HTTP/1.1" : " HTTP/1.0");
  text += "\r\n";
  http::Headers(head.fields).append_to(text);
  return text + "\r\n";
}

void check_same(const http::RequestHead& a, const http::RequestHead& b) {
  RELAY_CHECK(a.method == b.method && a.target == b.target);
  RELAY_CHECK(a.minor_version == b.minor_version && a.keep_alive == b.keep_alive);
  RELAY_CHECK(a.body.kind == b.body.kind && a.body.length == b.body.length);
  RELAY_CHECK(a.fields.size() == b.fields.size());
  for (std::size_t i = 0; i < a.fields.size(); ++i) {
    RELAY_CHECK(a.fields[i].name == b.fields[i].name && a.fields[i].value == b.fields[i].value);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::size_t scanned = 0, scanned_in_steps = 0;
  std::size_t length = http::head_length(bytes, scanned);
  std::size_t found = bytes.find("\r\n\r\n");
  RELAY_CHECK(length == (found == bytes.npos ? 0 : found + 4));
  http::head_length(bytes.substr(0, size / 2), scanned_in_steps);
  if (found >= size / 2) {
    RELAY_CHECK(http::head_length(bytes, scanned_in_steps) == length);
  }
  http::FieldStore store, store_again;
  (void)http::read_request_head(bytes, store);
  auto head = http::read_request_head(bytes.substr(0, length), store);
  if (!head) return 0;
  check_rules(*head);
  std::string text = write(*head);
  auto again = http::read_request_head(text, store_again);
  RELAY_CHECK(again.has_value());
  check_same(*head, *again);
  return 0;
}
