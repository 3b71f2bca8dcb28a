// Any bytes as an upstream's answer, asked for by GET and by HEAD.
#include "common/base/check.hpp"
#include "common/http/head.hpp"
#include "common/http/syntax.hpp"

namespace http = relay::http;

namespace {

void check_rules(const http::ResponseHeadView& head, bool of_head) {
  RELAY_CHECK(head.status >= 100 && head.status <= 999 && head.status != 101);
  bool bodiless = of_head || head.status < 200 || head.status == 204 || head.status == 304;
  RELAY_CHECK(bodiless == (head.body.kind == http::BodyKind::none));
  RELAY_CHECK(head.body.kind != http::BodyKind::until_close || !head.keep_alive);
  RELAY_CHECK(http::count(head.fields, "Content-Length") +
                  http::count(head.fields, "Transfer-Encoding") <=
              1);
  for (const http::Field& field : head.fields) {
    RELAY_CHECK(http::is_token(field.name));
    RELAY_CHECK(field.value.find_first_of(std::string_view("\r\n\0", 3)) == field.value.npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  http::FieldStore store;
  auto of_get = http::read_response_head(bytes, "GET", store);
  auto of_head = http::read_response_head(bytes, "HEAD", store);
  RELAY_CHECK(of_get.has_value() == of_head.has_value());
  if (of_get) check_rules(*of_get, false);
  if (of_head) check_rules(*of_head, true);
  return 0;
}
