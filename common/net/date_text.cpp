#include "common/net/date_text.hpp"

#include "common/base/clock.hpp"
#include "common/http/date.hpp"

namespace relay::net {

const std::string& date_text() {
  thread_local http::DateTime written{};
  thread_local std::string text;
  auto now = std::chrono::floor<std::chrono::seconds>(wall_now());
  if (now != written || text.empty()) {
    text = http::write_date(now);
    written = now;
  }
  return text;
}

}  // namespace relay::net
