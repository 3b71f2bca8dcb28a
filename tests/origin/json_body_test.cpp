#include "origin/json_body.hpp"

#include <gtest/gtest.h>

namespace relay::origin {
namespace {

TEST(JsonBody, ReadsLabels) {
  auto labels = read_labels(R"({"title": "Día", "tags": ["a", "b"]} )");
  ASSERT_TRUE(labels) << labels.error().message;
  EXPECT_EQ(*labels->title, "Día");
  EXPECT_EQ(*labels->tags, (std::vector<std::string>{"a", "b"}));
  auto nothing = read_labels("{}");
  ASSERT_TRUE(nothing);
  EXPECT_FALSE(nothing->title || nothing->tags);
}

struct Refused {
  const char* text;
  const char* words;
};

TEST(JsonBody, SaysWhatIsWrongAndWhere) {
  const Refused cases[] = {
      {"", "line 1, column 1"},
      {"{\n  \"title\": x}", "line 2, column 12"},
      {"{\"title\": \"a\"} }", "line 1, column 16"},
      {"{\"title\": \"a\"", "line 1, column 14"},
      {"[]", "JSON object"},
      {"{\"titel\": \"a\"}", "unknown member 'titel'; allowed are title, tags"},
      {"{\"title\": 5}", "'title' must be a string"},
      {"{\"tags\": \"a\"}", "'tags' must be an array of strings"},
      {"{\"tags\": [1]}", "'tags' must be an array of strings"},
      {"{\"tags\": [\"\"]}", "a tag is empty"},
      {"{\"title\": \"\xff\"}", "line 1"},
  };
  for (const Refused& each : cases) {
    auto labels = read_labels(each.text);
    ASSERT_FALSE(labels) << each.text;
    EXPECT_EQ(labels.error().kind, ErrorKind::invalid);
    EXPECT_TRUE(labels.error().message.contains(each.words)) << labels.error().message;
  }
}

TEST(JsonBody, TitlesAreShortUtf8) {
  EXPECT_TRUE(check_title("Tor! \"2:1\" \\o/"));
  EXPECT_FALSE(check_title(std::string(501, 'a')));
  EXPECT_FALSE(check_title("\xc3"));
  EXPECT_FALSE(check_title("a\nb"));
}

}  // namespace
}  // namespace relay::origin
