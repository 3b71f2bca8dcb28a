#include "common/http/json_text.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace relay::http {
namespace {

struct Case {
  const char* json;
  const char* text;
};

TEST(JsonText, HasNoExponentsAndNoSpaces) {
  const Case cases[] = {
      {"0.0", "0"},
      {"1.0", "1"},
      {"0.4026548672566372", "0.402655"},
      {"29.97", "29.97"},
      {"-2.5", "-2.5"},
      {"100.0", "100"},
      {"1099511627776", "1099511627776"},
      {"[]", "[]"},
      {"{}", "{}"},
      {"[[], {}, null, true, \"a\\\"\\n\"]", "[[],{},null,true,\"a\\\"\\n\"]"},
      {"{\"k\\\"\": {\"x\": 1}, \"y\": [1, 2]}", "{\"k\\\"\":{\"x\":1},\"y\":[1,2]}"},
  };
  for (const Case& each : cases) EXPECT_EQ(json_text(boost::json::parse(each.json)), each.text);
}

}  // namespace
}  // namespace relay::http
