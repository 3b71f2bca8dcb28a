// What an origin says in Surrogate-Control, and what it hears in Surrogate-Capability.
#include "common/http/surrogate_control.hpp"

#include <gtest/gtest.h>

namespace relay::http {
namespace {

std::optional<ResponseDirectives> of(std::string_view text) {
  return read_surrogate_control(Headers{{"Surrogate-Control", text}});
}

TEST(SurrogateControl, Lifetimes) {
  struct {
    const char* text;
    int max_age_s;
    std::optional<Seconds> extension;
  } const cases[] = {
      {"max-age=60", 60, {}},
      {"MaX-aGe=60", 60, {}},
      {"foobar, max-age=60", 60, {}},
      {"max-age=600+30", 600, Seconds(30)},
      {"max-age=99999999999", 1 << 30, {}},
      {"max-age=60;torchrelay", 60, {}},
      {"max-age=1;abc, max-age=60", 60, {}},
      {"max-age=1, max-age=60;torchrelay", 60, {}},
      {"max-age=1, max-age=60;abc;torchrelay", 60, {}},
      {"max-age=60, content=\"ESI/1.0\"", 60, {}},
  };
  for (const auto& c : cases) {
    auto read = of(c.text);
    ASSERT_TRUE(read && read->max_age && read->targeted) << c.text;
    if (c.max_age_s < 1 << 30) EXPECT_EQ(read->max_age, Seconds(c.max_age_s)) << c.text;
    EXPECT_EQ(read->stale_while_revalidate, c.extension) << c.text;
    EXPECT_FALSE(read->no_store);
  }
}

TEST(SurrogateControl, NoStore) {
  for (const char* text : {"no-store", "No-Store", "no-store-remote", "no-store;torchrelay"}) {
    ASSERT_TRUE(of(text)) << text;
    EXPECT_TRUE(of(text)->no_store) << text;
  }
}

TEST(SurrogateControl, WhatIsNotForUsOrMalformedIsIgnored) {
  for (const char* text :
       {"", "foo", "max-age=60;abc", "no-store;abc", "max-age =60", "max-age= 60", "max-age",
        "max-age=", "max-age=6x", "max-age=6+", "max-age=-1"}) {
    EXPECT_FALSE(of(text)) << text;
  }
  EXPECT_FALSE(read_surrogate_control({}));
}

TEST(SurrogateControl, ComesAfterTheTargetedFieldsAndBeforeTheOthers) {
  Headers both{{"Cache-Control", "no-store"},
               {"Expires", "0"},
               {"Surrogate-Control", "max-age=5"},
               {"CDN-Cache-Control", "max-age=9"}};
  EXPECT_EQ(read_response_directives(both).max_age, Seconds(9));
  both.remove("CDN-Cache-Control");
  auto directives = read_response_directives(both);
  EXPECT_EQ(directives.max_age, Seconds(5));
  EXPECT_FALSE(directives.no_store || directives.expired);
}

TEST(SurrogateCapability, IsToldOnce) {
  Headers request;
  announce_surrogate(request);
  announce_surrogate(request);
  EXPECT_EQ(request.find("Surrogate-Capability"), "torchrelay=\"Surrogate/1.0\"");
  Headers behind{{"Surrogate-Capability", "abc=\"Surrogate/1.0 ESI/1.0\""}};
  announce_surrogate(behind);
  EXPECT_EQ(behind.find("Surrogate-Capability"),
            "abc=\"Surrogate/1.0 ESI/1.0\", torchrelay=\"Surrogate/1.0\"");
}

}  // namespace
}  // namespace relay::http
