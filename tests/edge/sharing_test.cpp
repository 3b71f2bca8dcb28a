#include "edge/sharing.hpp"

#include <gtest/gtest.h>

namespace relay::edge {
namespace {

using std::chrono::seconds;

constexpr std::uint64_t object_bytes_max = 1000;
constexpr http::BodyFraming short_body{http::BodyKind::length, 1000};
constexpr http::BodyFraming long_body{http::BodyKind::length, 1001};
constexpr http::BodyFraming chunked{http::BodyKind::chunked};

std::string_view why(http::ResponseHead answer, http::BodyFraming framing = short_body) {
  return unshareable(answer, framing, {}, object_bytes_max);
}

TEST(Sharing, says_why_not) {
  http::Headers fresh{{"Cache-Control", "max-age=1"}};
  EXPECT_EQ(why({200, fresh}), "");
  EXPECT_EQ(why({200, {}}), "no-lifetime");
  EXPECT_EQ(why({403, {{"Cache-Control", "no-store"}}}), "no-store");
  EXPECT_EQ(why({200, fresh}, long_body), "too-large");
  EXPECT_EQ(why({200, fresh}, chunked), "");
}

TEST(Sharing, is_certain_only_of_a_known_length) {
  http::Headers fresh{{"Cache-Control", "max-age=1"}};
  EXPECT_TRUE(is_shareable({200, fresh}, short_body, {}, object_bytes_max));
  EXPECT_FALSE(is_shareable({200, fresh}, chunked, {}, object_bytes_max));
  EXPECT_FALSE(is_shareable({200, {}}, short_body, {}, object_bytes_max));
}

TEST(Sharing, is_remembered_to_be_none_after_all_but_failures) {
  for (int status : {200, 206, 302}) {
    EXPECT_EQ(unshared_memory_after(status), seconds(10)) << status;
  }
  for (int status : {401, 403, 404, 410})
    EXPECT_EQ(unshared_memory_after(status), seconds(1)) << status;
  for (int status : {408, 425, 429, 500, 503, 599})
    EXPECT_FALSE(unshared_memory_after(status)) << status;
}

}  // namespace
}  // namespace relay::edge
