// Parts of bodies: what they hold, what they answer, and how they become whole.
#include "edge/part.hpp"

#include <gtest/gtest.h>

namespace relay::edge {
namespace {

using Fields = std::vector<http::Field>;

http::RequestHead get(const Fields& fields) {
  http::RequestHead request;
  request.method = "GET";
  request.fields = fields;
  return request;
}

StoredResponse part(std::string_view content_range, std::string_view asked = "bytes=-5") {
  return make_part(asked, Fields{{"Cache-Control", "max-age=60"}, {"Content-Range", content_range}},
                   WallTime{}, WallTime{});
}

TEST(Part, only_a_short_tail_goes_on_as_it_is) {
  struct {
    Fields fields;
    bool yes;
  } const cases[] = {
      {{{"Range", "bytes=-5"}}, true},
      {{{"Range", "bytes=-65536"}}, true},
      {{{"Range", "bytes=-65537"}}, false},
      {{{"Range", "bytes=5-"}}, false},
      {{{"Range", "bytes=0-4"}}, false},
      {{{"Range", "bytes=-5,-6"}}, false},
      {{{"Range", "lines=-5"}}, false},
      {{{"Range", "bytes=-5"}, {"Range", "bytes=-5"}}, false},
      {{{"Range", "bytes=-5"}, {"If-Range", "\"a\""}}, false},
      {{{"Range", "bytes=-5"}, {"If-None-Match", "\"a\""}}, false},
      {{}, false},
  };
  for (const auto& c : cases) EXPECT_EQ(asks_for_tail(get(c.fields)), c.yes);
  http::RequestHead head = get(cases[0].fields);
  head.method = "HEAD";
  EXPECT_FALSE(asks_for_tail(head));
}

TEST(Part, its_extent_is_known_when_the_bytes_agree) {
  auto extent = extent_of(part("bytes 5-9/10"), 5);
  ASSERT_TRUE(extent);
  EXPECT_EQ(extent->range, (http::ByteRange{5, 9}));
  EXPECT_EQ(extent->length, 10u);
  EXPECT_FALSE(extent_of(part("bytes 4-9/10"), 5));
  EXPECT_FALSE(extent_of(part("bytes 5-9/*"), 5));
  EXPECT_FALSE(extent_of(part("bytes */10"), 5));
  EXPECT_FALSE(extent_of(part("nonsense"), 5));
}

TEST(Part, answers_the_same_range_and_ranges_inside) {
  const Fields same = {{"Range", "bytes=-5"}}, inside = {{"Range", "bytes=6-7"}},
               open = {{"Range", "bytes=6-"}}, beyond = {{"Range", "bytes=4-7"}},
               several = {{"Range", "bytes=6-7,9-9"}},
               conditional = {{"Range", "bytes=6-7"}, {"If-Range", "\"a\""}};
  auto held = part("bytes 5-9/10");
  EXPECT_EQ(plan_from_part(get(same), held, 5)->kind, AnswerKind::whole);
  auto plan = plan_from_part(get(inside), held, 5);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->kind, AnswerKind::part);
  EXPECT_EQ(plan->ranges, (std::vector<http::ByteRange>{{6, 7}}));
  EXPECT_EQ(plan->body_from, 5u);
  EXPECT_EQ(plan_from_part(get(open), held, 5)->ranges.front(), (http::ByteRange{6, 9}));
  EXPECT_FALSE(plan_from_part(get(beyond), held, 5));
  EXPECT_FALSE(plan_from_part(get(several), held, 5));
  EXPECT_FALSE(plan_from_part(get(conditional), held, 5));
  EXPECT_FALSE(plan_from_part(get({}), held, 5));
}

TEST(Part, that_contradicts_itself_answers_only_the_same_range) {
  const Fields same = {{"Range", "bytes=-5"}}, inside = {{"Range", "bytes=6-7"}};
  auto held = part("bytes 4-9/10");
  EXPECT_TRUE(plan_from_part(get(same), held, 5));
  EXPECT_FALSE(plan_from_part(get(inside), held, 5));
}

TEST(Part, head_says_which_bytes_of_the_whole_it_gives) {
  auto held = part("bytes 5-9/10");
  AnswerPlan plan{AnswerKind::part, {{6, 7}}, 5};
  std::string head;
  append_head(head, plan, held, 10, std::chrono::seconds(0));
  EXPECT_NE(head.find("Content-Range: bytes 6-7/10\r\n"), std::string::npos) << head;
  EXPECT_EQ(head.find("bytes 5-9/10"), std::string::npos) << head;
  EXPECT_NE(head.find("Content-Length: 2\r\n"), std::string::npos) << head;
}

TEST(Part, becomes_whole_under_the_same_strong_validator_only) {
  EXPECT_TRUE(is_beginning(part("bytes 0-4/10"), 5));
  EXPECT_FALSE(is_beginning(part("bytes 5-9/10"), 5));
  EXPECT_FALSE(is_beginning(part("bytes 0-4/5"), 5));
  EXPECT_FALSE(is_beginning(part("bytes 0-4/10"), 4));
  struct {
    std::string_view range, etag;
    std::optional<std::uint64_t> length;
  } const cases[] = {
      {"bytes 5-9/10", "\"a\"", 10},           {"bytes 5-8/10", "\"a\"", std::nullopt},
      {"bytes 4-9/10", "\"a\"", std::nullopt}, {"bytes 5-9/*", "\"a\"", std::nullopt},
      {"bytes 5-9/10", "\"b\"", std::nullopt}, {"bytes 5-9/10", "W/\"a\"", std::nullopt},
  };
  for (const auto& c : cases) {
    Fields response = {{"Content-Range", c.range}, {"ETag", c.etag}};
    EXPECT_EQ(continues(response, 5, "\"a\""), c.length) << c.range << c.etag;
  }
  EXPECT_FALSE(continues(Fields{{"Content-Range", "bytes 5-9/10"}}, 5, ""));
}

TEST(Part, fields_of_the_newer_answer_win) {
  auto held =
      make_part("bytes=-5", Fields{{"Content-Range", "bytes 0-4/10"}, {"A", "1"}, {"B", "1"}},
                WallTime{}, WallTime{});
  auto whole = fields_of_whole(held, Fields{{"Content-Range", "bytes 5-9/10"},
                                            {"Content-Length", "5"},
                                            {"Connection", "close"},
                                            {"B", "2"}});
  EXPECT_EQ(whole.find("A"), "1");
  EXPECT_EQ(whole.find("B"), "2");
  EXPECT_FALSE(whole.find("Content-Range") || whole.find("Content-Length") ||
               whole.find("Connection"));
}

}  // namespace
}  // namespace relay::edge
