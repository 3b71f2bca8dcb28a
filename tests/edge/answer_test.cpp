#include "edge/answer.hpp"

#include <gtest/gtest.h>

namespace relay::edge {
namespace {

constexpr std::string_view modified = "Tue, 24 Nov 2026 10:00:00 GMT";

StoredResponse stored_response(int status = 200) {
  http::Headers headers{{"Content-Type", "video/mp4"},
                        {"ETag", "\"e1\""},
                        {"Last-Modified", modified},
                        {"Cache-Control", "max-age=60"},
                        {"Content-Length", "1000"}};
  return make_stored(status, headers, WallTime{}, WallTime{});
}

AnswerPlan plan(std::initializer_list<http::Field> fields, const StoredResponse& stored,
                std::string_view method = "GET", std::optional<std::uint64_t> length = 1000) {
  http::Headers headers(fields);
  http::RequestHead request;
  request.method = method;
  request.fields = headers;
  return plan_answer(request, stored, length);
}

TEST(Answer, ConditionsComeBeforeRanges) {
  StoredResponse stored = stored_response();
  EXPECT_EQ(plan({}, stored).kind, AnswerKind::whole);
  EXPECT_EQ(plan({{"If-None-Match", "\"e1\""}}, stored).kind, AnswerKind::not_modified);
  EXPECT_EQ(plan({{"If-None-Match", "W/\"e1\""}, {"Range", "bytes=0-1"}}, stored).kind,
            AnswerKind::not_modified);
  EXPECT_EQ(plan({{"If-None-Match", "\"e2\""}, {"Range", "bytes=0-1"}}, stored).kind,
            AnswerKind::part);
  EXPECT_EQ(plan({{"If-Modified-Since", modified}}, stored).kind, AnswerKind::not_modified);
}

TEST(Answer, WhatGuardsAgainstLostUpdatesIsTheOriginsToJudge) {
  constexpr std::string_view before = "Mon, 23 Nov 2026 10:00:00 GMT";
  StoredResponse stored = stored_response();
  struct {
    std::vector<http::Field> fields;
    AnswerKind kind;
  } const cases[] = {
      {{{"If-Match", "\"e1\""}}, AnswerKind::whole},
      {{{"If-Match", "*"}}, AnswerKind::whole},
      {{{"If-Match", "\"e1\""}, {"Range", "bytes=0-1"}}, AnswerKind::part},
      {{{"If-Match", "\"e2\""}}, AnswerKind::for_origin},
      {{{"If-Match", "\"e2\""}, {"Range", "bytes=0-1"}}, AnswerKind::for_origin},
      {{{"If-Match", "\"e2\""}, {"If-None-Match", "\"e1\""}}, AnswerKind::for_origin},
      {{{"If-Unmodified-Since", modified}}, AnswerKind::whole},
      {{{"If-Unmodified-Since", before}}, AnswerKind::for_origin},
  };
  for (const auto& c : cases) {
    http::RequestHead request;
    request.method = "GET";
    request.fields = c.fields;
    EXPECT_EQ(plan_answer(request, stored, 1000).kind, c.kind) << c.fields.back().value;
    EXPECT_EQ(is_for_origin(request, stored), c.kind == AnswerKind::for_origin);
  }
}

TEST(Answer, RangesOfAStoredBody) {
  StoredResponse stored = stored_response();
  AnswerPlan part = plan({{"Range", "bytes=10-19"}}, stored);
  ASSERT_EQ(part.kind, AnswerKind::part);
  EXPECT_EQ(part.ranges.front(), (http::ByteRange{10, 19}));
  EXPECT_EQ(plan({{"Range", "bytes=1000-"}}, stored).kind, AnswerKind::unsatisfiable);
  EXPECT_EQ(plan({{"Range", "bytes=0-1,5-6"}}, stored).kind, AnswerKind::parts);
  EXPECT_EQ(plan({{"Range", "lines=0-1"}}, stored).kind, AnswerKind::whole);
  EXPECT_EQ(plan({{"Range", "bytes=0-1"}}, stored, "HEAD").kind, AnswerKind::whole);
  EXPECT_EQ(plan({{"Range", "bytes=0-1"}}, stored, "GET", std::nullopt).kind, AnswerKind::whole);
  EXPECT_EQ(plan({{"Range", "bytes=0-1"}}, stored_response(404)).kind, AnswerKind::whole);
}

TEST(Answer, IfRangeWantsTheVeryVersion) {
  StoredResponse stored = stored_response();
  EXPECT_EQ(plan({{"Range", "bytes=0-1"}, {"If-Range", "\"e1\""}}, stored).kind, AnswerKind::part);
  EXPECT_EQ(plan({{"Range", "bytes=0-1"}, {"If-Range", "\"e2\""}}, stored).kind, AnswerKind::whole);
  EXPECT_EQ(plan({{"Range", "bytes=0-1"}, {"If-Range", "W/\"e1\""}}, stored).kind,
            AnswerKind::whole);
}

std::string head_of(const AnswerPlan& plan, const StoredResponse& stored,
                    std::chrono::milliseconds age = {}) {
  std::string text;
  append_head(text, plan, stored, 1000, age);
  return text;
}

TEST(Answer, HeadsSayWhatFollows) {
  StoredResponse stored = stored_response();
  std::string whole = head_of({}, stored, std::chrono::milliseconds(2999));
  EXPECT_TRUE(whole.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(whole.ends_with("Content-Length: 1000\r\nAge: 2\r\n")) << whole;

  AnswerPlan part{AnswerKind::part, {{10, 19}}};
  std::string partial = head_of(part, stored);
  EXPECT_TRUE(partial.starts_with("HTTP/1.1 206 Partial Content\r\n"));
  EXPECT_NE(partial.find("Content-Range: bytes 10-19/1000\r\n"), std::string::npos);
  EXPECT_NE(partial.find("Content-Length: 10\r\n"), std::string::npos);
  EXPECT_NE(partial.find("Content-Type: video/mp4\r\n"), std::string::npos);

  AnswerPlan parts{AnswerKind::parts, {{0, 1}, {5, 6}}};
  std::string several = head_of(parts, stored);
  EXPECT_EQ(several.find("Content-Type: video/mp4\r\n"), std::string::npos);
  EXPECT_NE(several.find("Content-Type: multipart/byteranges; boundary="), std::string::npos);

  std::string unchanged = head_of({AnswerKind::not_modified, {}}, stored);
  EXPECT_TRUE(unchanged.starts_with("HTTP/1.1 304 "));
  EXPECT_EQ(unchanged.find("Content-Length"), std::string::npos) << unchanged;
  EXPECT_NE(unchanged.find("ETag: \"e1\"\r\n"), std::string::npos);
}

}  // namespace
}  // namespace relay::edge
