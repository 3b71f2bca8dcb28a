// Any text in the fields about caching, and in the structured ones: what can be read can be
// written, and reads the same again.
#include <string>

#include "common/base/check.hpp"
#include "common/http/cache_control.hpp"
#include "common/http/conditional.hpp"
#include "common/http/negotiate.hpp"
#include "common/http/structured_field.hpp"

namespace http = relay::http;
namespace structured = relay::http::structured;

namespace {

template <class Value>
void check_round_trip(const std::optional<Value>& value,
                      std::optional<Value> (*read)(std::string_view)) {
  if (!value) return;
  auto text = structured::write(*value);
  RELAY_CHECK(text.has_value());
  RELAY_CHECK(read(*text) == *value);
}

void check_times(const http::ResponseDirectives& directives) {
  for (const auto& time : {directives.max_age, directives.s_maxage,
                           directives.stale_while_revalidate, directives.stale_if_error}) {
    RELAY_CHECK(!time || (time->count() >= 0 && time->count() <= std::int64_t{1} << 31));
  }
  RELAY_CHECK(!(directives.expires && directives.expired));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string_view front = text.substr(0, size / 2), back = text.substr(size / 2);
  http::Headers fields{{"Cache-Control", front}, {"CDN-Cache-Control", text},
                       {"Expires", text},        {"Age", text},
                       {"Pragma", text},         {"Cache-Control", back},
                       {"If-None-Match", text},  {"If-Modified-Since", text}};
  check_times(http::read_response_directives(fields));
  http::Headers surrogate{{"Surrogate-Control", front}, {"Surrogate-Control", back}};
  check_times(http::read_response_directives(surrogate));
  http::Headers plain{{"Cache-Control", text}, {"Expires", text}};
  check_times(http::read_response_directives(plain));
  http::read_request_directives(fields);
  if (auto age = http::read_age(fields)) RELAY_CHECK(age->count() >= 0);
  http::evaluate(fields, "GET", http::Validators{text, http::DateTime{}});
  http::if_range_holds(text, http::Validators{front, {}});
  http::choose_coding(text);
  http::favourite(text);
  if (text.find('"') == text.npos) {
    std::string normal = http::normal_preferences(text);
    RELAY_CHECK(http::normal_preferences(normal) == normal);
  }
  if (auto date = http::read_date(text))
    RELAY_CHECK(http::read_date(http::write_date(*date)) == date);
  check_round_trip(structured::read_item(text), structured::read_item);
  check_round_trip(structured::read_list(text), structured::read_list);
  check_round_trip(structured::read_dictionary(text), structured::read_dictionary);
  return 0;
}
