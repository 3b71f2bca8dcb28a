#include "edge/slicing.hpp"

#include <gtest/gtest.h>

namespace relay::edge {
namespace {

using Fields = std::vector<http::Field>;

constexpr std::uint64_t slice_bytes = 1000;
const Fields good = {{"Accept-Ranges", "bytes"}, {"ETag", "\"a\""}};

StoredResponse pinned(std::uint64_t length = 4500, Fields fields = good) {
  StoredResponse stored = make_stored(200, fields, WallTime{}, WallTime{});
  stored.sliced_bytes = length;
  return stored;
}

TEST(Slicing, only_large_bodies_under_a_validator_that_pins_them) {
  EXPECT_TRUE(may_slice(200, good, 4000, slice_bytes));
  EXPECT_FALSE(may_slice(200, good, 3999, slice_bytes));
  EXPECT_FALSE(may_slice(200, good, slices_max * slice_bytes + 1, slice_bytes));
  EXPECT_FALSE(may_slice(206, good, 4000, slice_bytes));
  EXPECT_FALSE(may_slice(200, Fields{{"ETag", "\"a\""}}, 4000, slice_bytes));
  EXPECT_FALSE(
      may_slice(200, Fields{{"Accept-Ranges", "none"}, {"ETag", "\"a\""}}, 4000, slice_bytes));
  EXPECT_FALSE(
      may_slice(200, Fields{{"Accept-Ranges", "bytes"}, {"ETag", "W/\"a\""}}, 4000, slice_bytes));
}

TEST(Slicing, a_date_pins_only_when_it_is_older_than_the_answer) {
  auto dated = [](std::string_view modified) {
    Fields fields = {{"Accept-Ranges", "bytes"}, {"Date", "Sun, 06 Nov 1994 08:49:37 GMT"}};
    if (!modified.empty()) fields.push_back({"Last-Modified", modified});
    return may_slice(200, fields, 4000, slice_bytes);
  };
  EXPECT_TRUE(dated("Sun, 06 Nov 1994 08:49:36 GMT"));
  EXPECT_FALSE(dated("Sun, 06 Nov 1994 08:49:37 GMT"));
  EXPECT_FALSE(dated(""));
}

TEST(Slicing, slices_cover_the_body_once) {
  StoredResponse stored = pinned();
  ASSERT_EQ(slice_count(stored, slice_bytes), 5u);
  EXPECT_EQ(slice_range(stored, slice_bytes, 0), (http::ByteRange{0, 999}));
  EXPECT_EQ(slice_range(stored, slice_bytes, 4), (http::ByteRange{4000, 4499}));
  EXPECT_EQ(slice_count(pinned(5000), slice_bytes), 5u);
  EXPECT_EQ(slice_range(pinned(5000), slice_bytes, 4), (http::ByteRange{4000, 4999}));
}

TEST(Slicing, keys_differ_by_version_length_size_and_number) {
  std::string key = slice_key("/a", pinned(), 1000, 1);
  EXPECT_TRUE(key.starts_with("/a\n"));
  EXPECT_EQ(key, slice_key("/a", pinned(), 1000, 1));
  EXPECT_NE(key, slice_key("/a", pinned(), 1000, 2));
  EXPECT_NE(key, slice_key("/a", pinned(), 1001, 1));
  EXPECT_NE(key, slice_key("/a", pinned(4501), 1000, 1));
  EXPECT_NE(key, slice_key("/a", pinned(4500, {{"ETag", "\"b\""}}), 1000, 1));
}

TEST(Slicing, a_member_asks_for_one_whole_range_under_a_validator) {
  using Fields = std::vector<http::Field>;
  struct {
    Fields fields;
    bool yes;
  } const cases[] = {
      {{{"Range", "bytes=100-199"}, {"If-Range", "\"a\""}}, true},
      {{{"Range", "bytes=100-199"}}, false},
      {{{"Range", "bytes=100-"}, {"If-Range", "\"a\""}}, false},
      {{{"Range", "bytes=-100"}, {"If-Range", "\"a\""}}, false},
      {{{"Range", "bytes=0-9,20-29"}, {"If-Range", "\"a\""}}, false},
      {{{"If-Range", "\"a\""}}, false},
  };
  for (const auto& c : cases) {
    http::RequestHead request;
    request.method = "GET";
    request.fields = c.fields;
    EXPECT_EQ(asks_for_slice(request), c.yes);
    request.method = "HEAD";
    EXPECT_FALSE(asks_for_slice(request));
  }
}

TEST(Slicing, an_answer_is_a_slice_only_when_all_agrees) {
  struct {
    int status;
    std::string_view content_range, etag;
    SliceAnswer is;
  } cases[] = {
      {206, "bytes 1000-1999/4500", "\"a\"", SliceAnswer::slice},
      {206, "bytes 1000-1999/4500", "\"b\"", SliceAnswer::other_version},
      {206, "bytes 1000-1999/4501", "\"a\"", SliceAnswer::other_version},
      {206, "bytes 1000-1998/4500", "\"a\"", SliceAnswer::other_version},
      {206, "bytes 1000-1999/*", "\"a\"", SliceAnswer::other_version},
      {206, "", "\"a\"", SliceAnswer::other_version},
      {206, "bytes 1000-1999/4500", "W/\"a\"", SliceAnswer::other_version},
      {200, "", "\"a\"", SliceAnswer::no_ranges},
      {200, "", "\"b\"", SliceAnswer::other_version},
      {404, "", "", SliceAnswer::other_version},
      {416, "", "", SliceAnswer::other_version},
      {302, "", "", SliceAnswer::other_version},
      {503, "", "", SliceAnswer::failure},
      {403, "", "", SliceAnswer::failure},
  };
  for (const auto& c : cases) {
    Fields fields = {{"Content-Range", c.content_range}, {"ETag", c.etag}};
    EXPECT_EQ(judge_slice(pinned(), {1000, 1999}, c.status, fields), c.is)
        << c.status << c.content_range << c.etag;
  }
}

}  // namespace
}  // namespace relay::edge
