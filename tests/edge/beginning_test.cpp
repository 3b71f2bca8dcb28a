// What a member tells of the beginning that it holds, and what it must bring.
#include "edge/beginning.hpp"

#include <gtest/gtest.h>

#include "edge/fleet/hop.hpp"

namespace relay::edge {
namespace {

using Fields = std::vector<http::Field>;

http::RequestHead get(const Fields& fields) {
  http::RequestHead request;
  request.method = "GET";
  request.fields = fields;
  return request;
}

TEST(Beginning, is_told_beside_a_request_for_the_rest) {
  Fields fields{{fleet::holder_field, "edge-2"}, {"Range", "bytes=5000-"}, {"If-Range", "\"a\""}};
  auto told = told_beginning(get(fields));
  ASSERT_TRUE(told);
  EXPECT_EQ(told->member, "edge-2");
  EXPECT_EQ(told->bytes, 5000u);
  EXPECT_EQ(told->etag, "\"a\"");
  http::RequestHead head = get(fields);
  head.method = "HEAD";
  EXPECT_FALSE(told_beginning(head));
}

TEST(Beginning, is_not_told_without_a_strong_validator_or_of_anything_but_a_rest) {
  const http::Field member{fleet::holder_field, "edge-2"};
  const Fields cases[] = {
      {{"Range", "bytes=5000-"}, {"If-Range", "\"a\""}},
      {member, {"If-Range", "\"a\""}},
      {member, {"Range", "bytes=5000-"}},
      {member, {"Range", "bytes=5000-"}, {"If-Range", "W/\"a\""}},
      {member, {"Range", "bytes=5000-"}, {"If-Range", "Sun, 06 Nov 1994 08:49:37 GMT"}},
      {member, {"Range", "bytes=5000-5999"}, {"If-Range", "\"a\""}},
      {member, {"Range", "bytes=-5000"}, {"If-Range", "\"a\""}},
      {member, {"Range", "bytes=0-1,5000-"}, {"If-Range", "\"a\""}},
  };
  for (const Fields& fields : cases) EXPECT_FALSE(told_beginning(get(fields)));
}

TEST(Beginning, must_be_brought_as_it_was_asked_for) {
  const http::ByteRange asked{100, 999};
  const http::BodyFraming framed{http::BodyKind::length, 900};
  auto head = [](int status, std::string_view content_range, std::string_view etag) {
    return http::ResponseHead{status, {{"Content-Range", content_range}, {"ETag", etag}}};
  };
  EXPECT_EQ(brings(head(206, "bytes 100-999/5000", "\"a\""), framed, asked, "\"a\""), 5000u);
  EXPECT_FALSE(brings(head(200, "bytes 100-999/5000", "\"a\""), framed, asked, "\"a\""));
  EXPECT_FALSE(brings(head(206, "bytes 100-999/*", "\"a\""), framed, asked, "\"a\""));
  EXPECT_FALSE(brings(head(206, "bytes 101-1000/5000", "\"a\""), framed, asked, "\"a\""));
  EXPECT_FALSE(brings(head(206, "bytes 100-899/5000", "\"a\""), framed, asked, "\"a\""));
  EXPECT_FALSE(brings(head(206, "bytes 100-999/5000", "\"b\""), framed, asked, "\"a\""));
  EXPECT_FALSE(brings(head(206, "bytes 100-999/5000", "W/\"a\""), framed, asked, "W/\"a\""));
  const http::BodyFraming shorter{http::BodyKind::length, 899}, chunked{http::BodyKind::chunked, 0};
  EXPECT_FALSE(brings(head(206, "bytes 100-999/5000", "\"a\""), shorter, asked, "\"a\""));
  EXPECT_FALSE(brings(head(206, "bytes 100-999/5000", "\"a\""), chunked, asked, "\"a\""));
}

TEST(Beginning, is_given_only_of_what_has_come) {
  StoredResponse stored = make_stored(
      200, Fields{{"Cache-Control", "max-age=60"}, {"ETag", "\"a\""}}, WallTime{}, WallTime{});
  auto has = [&](std::string_view range, std::uint64_t received, std::string_view etag = "\"a\"") {
    Fields fields{{"Range", range}, {"If-Range", etag}};
    return has_come(get(fields), stored, 1000, received);
  };
  EXPECT_TRUE(has("bytes=0-499", 500));
  EXPECT_TRUE(has("bytes=100-499", 600));
  EXPECT_FALSE(has("bytes=0-499", 499));
  EXPECT_FALSE(has("bytes=500-", 600)) << "what is still to come";
  EXPECT_FALSE(has("bytes=0-999", 1000)) << "the last byte is given when the whole is judged";
  EXPECT_FALSE(has("bytes=0-99,200-299", 600));
  EXPECT_FALSE(has("bytes=0-499", 500, "\"b\"")) << "another version";
  EXPECT_FALSE(has_come(get({}), stored, 1000, 600));
}

}  // namespace
}  // namespace relay::edge
