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
  const std::string deep = "{\"title\": " + std::string(40, '[');
  const Refused cases[] = {
      {"", "the body is empty; expected JSON like {\"title\""},
      {" \n", "the body is empty"},
      {"{\"title\": \"a\" \"tags\": []}",
       "line 1, column 15: expected ',' or '}' behind the member, found '\"'"},
      {"{\"tags\": [\"a\" \"b\"]}", "column 15: expected ',' or ']' behind the element"},
      {"{\n  \"title\": \"a\",\n}", "line 3, column 1: expected another member behind ','"},
      {"{\"tags\": [\"a\",]}", "column 15: expected another element behind ','"},
      {"{'title': 'a'}", "column 2: expected a member's name in double quotes, found ' (JSON's"},
      {"{\"title\": 'a'}", "column 11: expected a value, found ' (JSON's only quote is \")"},
      {"{“title”: \"a\"}", "column 2: expected a member's name in double quotes, found “"},
      {"{title: \"a\"}", "column 2: expected a member's name in double quotes, found 't'"},
      {"{\"title\": \"Día", "line 1, column 11: the string that begins here has no closing \""},
      {"{\"title\": \"a\n\"}", "line 1, column 11: the string that begins here has no closing \""},
      {"{\"title\": \"a\\\"}", "line 1, column 11: the string that begins here has no closing \""},
      {"{\"title\": \"Día\", 5}", "column 18: expected a member's name in double quotes"},
      {"{\"title\" \"a\"}", "column 10: expected ':' behind \"title\", found '\"'"},
      {"{\n  \"title\": x}", "line 2, column 12: expected a value, found x; text needs double"},
      {"{\"title\": True}", "column 11: expected a value, found True"},
      {"{\"title\": }", "column 11: expected a value, found '}'"},
      {"{\"title\": \"a\"} }", "line 1, column 16: expected the end behind the whole value"},
      {"{\"title\": \"a\"",
       "line 1, column 14: expected ',' or '}' behind the member, found the end"},
      {"title=a", "line 1, column 1: expected a value, found title; text needs double quotes"},
      {"// a\n{}", "line 1, column 1: expected a value, found '/'"},
      {"\xEF\xBB\xBF{}", "line 1, column 1: it begins with a byte order mark"},
      {"{\"title\": \"a\tb\"}", "column 13: a control character must be written as \\u0009"},
      {"{\"title\": \"\\x\"}", "column 12: expected one of \\\""},
      {"{\"title\": \"\\ud83d\"}", "column 12: this is half of a surrogate pair"},
      {"{\"title\": 05}", "column 11: a number must not begin with 0"},
      {"{\"title\": 5.}", "column 13: expected a digit behind '.', found '}'"},
      {"{\"title\": \"T\xfcr\"}", "column 13: the byte 0xFC is not UTF-8"},
      {"{\"title\": \"\xed\xa0\x80\"}", "column 12: the byte 0xED is not UTF-8"},
      {deep.c_str(), "line 1, column 42: values are nested deeper than 32 levels"},
      {"\n []", "line 2, column 2: the body must be a JSON object like {"},
      {"{\"title\": \"a\", \"titel\": \"a\"}",
       "line 1, column 16: unknown member \"titel\"; allowed are title, tags"},
      {"{\"title\": \"a\",\n \"t\\u0069tle\": \"b\"}",
       "line 2, column 2: member 'title' is there twice"},
      {"{\"title\": 5}", "line 1, column 11: member 'title' must be a string"},
      {"{\"title\": \"a\",\n\"tags\": \"a\"}",
       "line 2, column 9: member 'tags' must be an array of strings"},
      {"{\"tags\": [1]}", "member 'tags' must be an array of strings"},
      {"{\"tags\": [\"\"]}", "a tag is empty"},
  };
  for (const Refused& each : cases) {
    auto labels = read_labels(each.text);
    ASSERT_FALSE(labels) << each.text;
    EXPECT_EQ(labels.error().kind, ErrorKind::invalid);
    EXPECT_TRUE(labels.error().message.contains(each.words)) << labels.error().message;
  }
}

TEST(JsonBody, ReadsWhatAChannelMayHaveForItself) {
  using namespace std::chrono_literals;
  auto body = read_channel(R"({"title": "Final", "part": "250ms", "group": "1s", "segment": "2s",
      "rungs_max": 2, "height_max": 720, "dvr": "30m", "dvr_size_max": "8GiB", "between": "slate",
      "busy_slot": "replace", "return_to_primary": false})",
                           {});
  ASSERT_TRUE(body) << body.error().message;
  EXPECT_EQ(*body->labels.title, "Final");
  const live::ChannelWishes& wishes = body->wishes;
  EXPECT_EQ(wishes.rules.dvr, 30min);
  EXPECT_EQ(wishes.rules.dvr_size_max, 8ull << 30);
  EXPECT_EQ(wishes.rules.busy_slot, live::BusySlot::replace);
  media::LiveChannel constants = live::constants_of(wishes, {}, 7);
  EXPECT_EQ(constants.epoch_ms, 7);
  EXPECT_EQ(constants.part_target_ms, 250);
  EXPECT_EQ(constants.group_ms, 1000);
  EXPECT_EQ(constants.segment_ms, 2000);
  EXPECT_EQ(constants.rungs_max, 2);
  EXPECT_EQ(constants.height_max, 720);
  EXPECT_EQ(constants.between, media::Between::slate);
  EXPECT_FALSE(constants.return_to_primary);
  auto nothing = read_channel("", {});
  ASSERT_TRUE(nothing);
  EXPECT_EQ(live::constants_of(nothing->wishes, {.part = 1s}, 0).part_target_ms, 1000);
}

TEST(JsonBody, SaysWhatIsWrongWithAChannelAndWhere) {
  const Refused cases[] = {
      {"{\"part\": \"50ms\"}", "column 10: member 'part' must be a duration from 100ms to 5s"},
      {"{\"part\": 500}", "column 10: member 'part' must be a duration like \"500ms\""},
      {"{\"part\": \"soon\"}", "member 'part' must be a duration from 100ms to 5s"},
      {"{\"part\": \"3s\"}", "column 10: member 'part' must be such that part (3s) is not above"},
      {"{\"title\": \"a\",\n \"segment\": \"5s\"}",
       "line 2, column 13: member 'segment' must be such that segment (5s) is a multiple of group"},
      {"{\"group\": \"3s\"}", "'group' must be such that segment (4s) is a multiple of group (3s)"},
      {"{\"rungs_max\": 0}", "column 15: member 'rungs_max' must be a whole number from 1 to 8"},
      {"{\"rungs_max\": 1.5}", "'rungs_max' must be a whole number"},
      {"{\"height_max\": \"720\"}", "'height_max' must be a whole number from 100 to 4320"},
      {"{\"dvr\": \"1s\"}", "'dvr' must be a duration from 30s to 366d"},
      {"{\"dvr\": \"367d\"}", "'dvr' must be a duration from 30s to 366d"},
      {"{\"dvr_size_max\": \"1KiB\"}", "'dvr_size_max' must be a size of at least 64KiB"},
      {"{\"between\": \"black\"}", "'between' must be \"gap\" or \"slate\""},
      {"{\"busy_slot\": true}", "'busy_slot' must be \"refuse\" or \"replace\""},
      {"{\"return_to_primary\": \"yes\"}", "'return_to_primary' must be true or false"},
      {"{\"slate\": true}", "column 2: unknown member \"slate\"; allowed are title, tags, part"},
  };
  for (const Refused& each : cases) {
    auto body = read_channel(each.text, {});
    ASSERT_FALSE(body) << each.text;
    EXPECT_EQ(body.error().kind, ErrorKind::invalid);
    EXPECT_TRUE(body.error().message.contains(each.words)) << body.error().message;
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
