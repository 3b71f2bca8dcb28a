// Problem documents and the status of every error.
#include "common/http/problem.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay::http {
namespace {

TEST(Problem, Document) {
  Response response = problem(404, "no asset \"x\"", {{"asset", "x"}, {"tries", "3", false}});
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.headers.find("Content-Type"), "application/problem+json");
  EXPECT_EQ(response.headers.find("Cache-Control"), "no-store");
  EXPECT_EQ(response.body,
            "{\"title\":\"Not Found\",\"status\":404,\"detail\":\"no asset \\\"x\\\"\","
            "\"asset\":\"x\",\"tries\":3}\n");
}

TEST(Problem, SaysWhichMethodsAreAllowed) {
  Response bare = method_not_allowed("GET, HEAD");
  EXPECT_EQ(bare.status, 405);
  EXPECT_EQ(bare.headers.find("Allow"), "GET, HEAD");
  EXPECT_THAT(bare.body, testing::HasSubstr("\"detail\":\"allowed here: GET, HEAD\""));
  Response worded = method_not_allowed("POST", "only written to");
  EXPECT_EQ(worded.headers.find("Allow"), "POST");
  EXPECT_THAT(worded.body, testing::HasSubstr("\"detail\":\"only written to\""));
}

TEST(Problem, StatusOfErrors) {
  using enum ErrorKind;
  using Source = ErrorSource;
  struct {
    ErrorKind kind;
    Source source;
    int status;
  } const cases[] = {
      {invalid, Source::client, 400},       {invalid, Source::upstream, 502},
      {denied, Source::client, 401},        {forbidden, Source::client, 403},
      {not_found, Source::client, 404},     {conflict, Source::client, 409},
      {too_large, Source::client, 413},     {too_large, Source::upstream, 502},
      {no_space, Source::disk, 507},        {timeout, Source::client, 408},
      {timeout, Source::upstream, 504},     {unavailable, Source::upstream, 502},
      {unavailable, Source::internal, 503}, {aborted, Source::upstream, 502},
      {aborted, Source::client, 400},       {corrupt, Source::upstream, 502},
      {corrupt, Source::client, 400},       {corrupt, Source::disk, 500},
      {internal, Source::internal, 500},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(status_of(Error{c.kind, c.source, false, ""}), c.status)
        << static_cast<int>(c.kind) << " " << static_cast<int>(c.source);
  }
}

TEST(Problem, FieldsOfErrors) {
  auto of = [](ErrorKind kind, ErrorSource source, bool retry) {
    return problem_of(Error{kind, source, retry, "secret path"});
  };
  Response denied = of(ErrorKind::denied, ErrorSource::client, false);
  EXPECT_EQ(denied.headers.find("WWW-Authenticate"), "Bearer");
  EXPECT_NE(denied.body.find("secret path"), std::string::npos);
  EXPECT_EQ(of(ErrorKind::unavailable, ErrorSource::internal, true).headers.find("Retry-After"),
            "1");
  EXPECT_EQ(of(ErrorKind::unavailable, ErrorSource::internal, false).headers.find("Retry-After"),
            std::nullopt);
  EXPECT_EQ(of(ErrorKind::internal, ErrorSource::internal, false).body.find("secret"),
            std::string::npos);
}

TEST(JsonString, EscapesAndRepairs) {
  struct {
    std::string text;
    const char* json;
  } const cases[] = {
      {"a\"b\\c/", "\"a\\\"b\\\\c/\""},
      {std::string("\0\n\x1f", 3), "\"\\u0000\\u000a\\u001f\""},
      {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\xa5",
       "\"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\xa5\""},
      {"\xff"
       "a",
       "\"\xef\xbf\xbd"
       "a\""},
      {"\xc3", "\"\xef\xbf\xbd\""},
      {"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
      {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
      {"\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
  };
  for (const auto& c : cases) {
    std::string json;
    append_json_string(json, c.text);
    EXPECT_EQ(json, c.json);
  }
}

}  // namespace
}  // namespace relay::http
