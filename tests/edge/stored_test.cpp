#include "edge/stored.hpp"

#include "edge/part.hpp"

#include <gtest/gtest.h>

namespace relay::edge {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Fields = std::vector<http::Field>;
using Texts = std::vector<std::string>;

// Sun, 06 Nov 1994 08:49:37 GMT and 250 ms.
constexpr WallTime start{milliseconds{784111777250}};

StoredResponse stored_at_start(Fields response, int status = 200) {
  return make_stored(status, response, start - seconds(1), start);
}

void expect_same(const StoredResponse& a, const StoredResponse& b) {
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.status, b.status);
  EXPECT_EQ(a.head_text, b.head_text);
  EXPECT_EQ(a.fields_at, b.fields_at);
  EXPECT_EQ(a.not_modified_text, b.not_modified_text);
  EXPECT_EQ(a.request_time, b.request_time);
  EXPECT_EQ(a.response_time, b.response_time);
  EXPECT_EQ(a.stale_from, b.stale_from);
  EXPECT_EQ(a.etag, b.etag);
  EXPECT_EQ(a.last_modified, b.last_modified);
  EXPECT_EQ(a.content_type, b.content_type);
  EXPECT_EQ(a.vary, b.vary);
  EXPECT_EQ(a.cache_tags, b.cache_tags);
  EXPECT_EQ(a.purge_sequence, b.purge_sequence);
  EXPECT_EQ(a.language, b.language);
  EXPECT_EQ(a.asked_range, b.asked_range);
  EXPECT_EQ(a.alias_of, b.alias_of);
  EXPECT_EQ(a.sliced_bytes, b.sliced_bytes);
  EXPECT_EQ(a.freshness.lifetime, b.freshness.lifetime);
  EXPECT_EQ(a.freshness.initial_age, b.freshness.initial_age);
  EXPECT_EQ(a.freshness.response_time, b.freshness.response_time);
  EXPECT_EQ(a.freshness.stale_while_revalidate, b.freshness.stale_while_revalidate);
  EXPECT_EQ(a.freshness.stale_if_error, b.freshness.stale_if_error);
  EXPECT_EQ(a.freshness.explicit_lifetime, b.freshness.explicit_lifetime);
  EXPECT_EQ(a.freshness.never_stale, b.freshness.never_stale);
  EXPECT_EQ(a.freshness.no_cache, b.freshness.no_cache);
}

TEST(Stored, head_is_ready_to_send_but_for_what_each_answer_writes_anew) {
  auto stored = stored_at_start({{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"},
                                 {"content-type", "video/mp4"},
                                 {"Content-Length", "7"},
                                 {"Age", "3"},
                                 {"Cache-Status", "edge-2; hit"},
                                 {"Connection", "X-Hop, close"},
                                 {"X-Hop", "1"},
                                 {"Transfer-Encoding", "chunked"},
                                 {"ETag", "\"abc\""},
                                 {"Cache-Control", "max-age=60"},
                                 {"Access-Control-Allow-Origin", "*"},
                                 {"Server", "origin"}});
  EXPECT_EQ(stored.head_text,
            "HTTP/1.1 200 OK\r\n"
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "content-type: video/mp4\r\n"
            "ETag: \"abc\"\r\n"
            "Cache-Control: max-age=60\r\n"
            "Access-Control-Allow-Origin: *\r\n"
            "Server: origin\r\n");
  EXPECT_EQ(stored.not_modified_text,
            "HTTP/1.1 304 Not Modified\r\n"
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "ETag: \"abc\"\r\n"
            "Cache-Control: max-age=60\r\n"
            "Access-Control-Allow-Origin: *\r\n");
  EXPECT_TRUE(stored.field_lines().starts_with("Date: Sun"));
  EXPECT_EQ(stored.content_type, "video/mp4");
  EXPECT_EQ(stored.etag, "\"abc\"");
  EXPECT_EQ(stored.freshness.lifetime, seconds(60));
  EXPECT_EQ(stored.freshness.initial_age, seconds(4));
  ASSERT_EQ(stored.fields().size(), 6u);
  EXPECT_EQ(stored.fields()[1].name, "content-type");
  EXPECT_EQ(stored.fields()[1].value, "video/mp4");
}

TEST(Stored, a_date_is_given_and_fields_that_are_private_are_left_out) {
  auto stored =
      stored_at_start({{"Cache-Control", "max-age=9, private=\"X-Me\", no-cache=\"Set-Cookie\""},
                       {"X-Me", "1"},
                       {"Set-Cookie", "a=b"}},
                      404);
  EXPECT_EQ(stored.head_text,
            "HTTP/1.1 404 Not Found\r\n"
            "Cache-Control: max-age=9, private=\"X-Me\", no-cache=\"Set-Cookie\"\r\n"
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
  EXPECT_EQ(stored.not_modified_text, "");
}

TEST(Stored, what_is_left_out_is_for_the_first_client) {
  Fields response = {
      {"Cache-Control", "max-age=9, private=\"X-Me, Connection\", no-cache=\"Set-Cookie\""},
      {"x-me", "1"},
      {"Connection", "close"},
      {"Set-Cookie", "a=b"},
      {"Set-Cookie", "c=d"},
      {"X-All", "2"}};
  auto own = fields_for_first(response);
  ASSERT_EQ(own.fields().size(), 3u);
  EXPECT_EQ(own.find("X-Me"), "1");
  EXPECT_EQ(own.fields()[2].value, "c=d");
  EXPECT_TRUE(fields_for_first(Fields{{"Set-Cookie", "a=b"}}).fields().empty());
}

TEST(Stored, without_an_etag_a_304_tells_the_modification_time) {
  auto stored = stored_at_start({{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"},
                                 {"Last-Modified", "Sun, 06 Nov 1994 08:00:00 GMT"},
                                 {"ETag", "not quoted"}});
  EXPECT_EQ(stored.etag, "");
  stored = stored_at_start({{"Last-Modified", "Sun, 06 Nov 1994 08:00:00 GMT"}});
  EXPECT_NE(stored.not_modified_text.find("\r\nLast-Modified: Sun, 06 Nov 1994 08:00:00 GMT\r\n"),
            std::string::npos);
}

TEST(Stored, what_is_decoded_equals_what_was_encoded) {
  StoredResponse cases[] = {
      stored_at_start({{"Cache-Control", "max-age=60, stale-while-revalidate=5, stale-if-error=9"},
                       {"Age", "3"},
                       {"ETag", "W/\"abc\""},
                       {"Last-Modified", "Sun, 06 Nov 1994 08:00:00 GMT"},
                       {"Content-Type", "text/plain"},
                       {"Vary", "Accept, Origin"},
                       {"Cache-Tag", "a, b"},
                       {"Cache-Tag", "c"},
                       {"Surrogate-Key", "d  e"},
                       {"X-Empty", ""}}),
      stored_at_start({{"Expires", "Sun, 06 Nov 1994 08:50:37 GMT"}}, 599),
      stored_at_start({{"Cache-Control", "s-maxage=1, no-cache"}}, 204),
      mark_stale(stored_at_start({{"Cache-Control", "max-age=60"}}), start + seconds(5)),
      make_variants({"accept", "origin"}, start),
      make_alias("/a\naccept-language=de,en\nfoo=1", start),
      make_part("bytes=-5",
                Fields{{"Cache-Control", "max-age=60"}, {"Content-Range", "bytes 5-9/10"}},
                start - seconds(1), start),
      stored_at_start({{"Cache-Control", "max-age=60"}, {"Content-Language", "de"}}),
  };
  for (std::uint64_t number = 0; StoredResponse & stored : cases) {
    stored.purge_sequence = number++;
    if (stored.kind == StoredKind::response) stored.sliced_bytes = 3 * number;
    EXPECT_EQ(purge_sequence_of(encode(stored)), stored.purge_sequence);
    auto again = decode(encode(stored));
    ASSERT_TRUE(again) << stored.head_text;
    expect_same(stored, *again);
  }
  EXPECT_EQ(cases[0].vary, (Texts{"accept", "origin"}));
  EXPECT_EQ(cases[0].cache_tags, (Texts{"a", "b", "c", "d", "e"}));
  EXPECT_EQ(cases[4].kind, StoredKind::variants);
}

TEST(Stored, damaged_text_is_corrupt) {
  std::string whole = encode(stored_at_start({{"Cache-Control", "max-age=60"}}));
  std::size_t head = whole.find("HTTP/1.1");
  for (std::size_t length = 0; length <= head; ++length) {
    auto cut = decode(std::string_view(whole).substr(0, length));
    ASSERT_FALSE(cut) << length;
    EXPECT_EQ(cut.error().kind, ErrorKind::corrupt);
  }
  for (std::string_view text : {"", "torchrelay 1 0 200 1 1 1 -1\n\nHTTP/1.1 200 OK\r\n",
                                "torchrelay 2 7 0 99 1 1 1 -1 0\n\nHTTP/1.1 200 OK\r\n",
                                "torchrelay 2 7 0 200 1 1 x -1 0\n\nHTTP/1.1 200 OK\r\n",
                                "torchrelay 2 7 0 200 1 1 1 -1 0\n\nHTTP/1.1 200 OK\r\nA: b"}) {
    EXPECT_FALSE(decode(text)) << text;
  }
}

TEST(Stored, a_304_confirms_only_what_it_names) {
  struct {
    Fields stored, not_modified;
    bool yes;
  } cases[] = {
      {{{"ETag", "\"a\""}}, {}, true},
      {{{"ETag", "\"a\""}}, {{"ETag", "\"a\""}}, true},
      {{{"ETag", "\"a\""}}, {{"ETag", "W/\"a\""}}, true},
      {{{"ETag", "W/\"a\""}}, {{"ETag", "W/\"a\""}}, true},
      {{{"ETag", "W/\"a\""}}, {{"ETag", "\"a\""}}, false},
      {{{"ETag", "\"a\""}}, {{"ETag", "\"b\""}}, false},
      {{}, {{"ETag", "\"b\""}}, false},
      {{{"Last-Modified", "x"}}, {{"Last-Modified", "x"}}, true},
      {{{"Last-Modified", "x"}}, {{"Last-Modified", "y"}}, false},
      {{{"Last-Modified", "x"}}, {}, true},
      {{{"ETag", "\"a\""}, {"Last-Modified", "x"}}, {{"Last-Modified", "y"}}, true},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(confirms(stored_at_start(c.stored), c.not_modified), c.yes);
  }
}

TEST(Stored, the_head_of_a_head_tells_whether_it_is_the_same_response) {
  auto plain = stored_at_start({{"Cache-Control", "max-age=1"}});
  EXPECT_TRUE(is_head_of(plain, 7, {}));
  EXPECT_TRUE(is_head_of(plain, 7, Fields{{"Content-Length", "7"}}));
  EXPECT_FALSE(is_head_of(plain, 7, Fields{{"Content-Length", "8"}}));
  EXPECT_FALSE(is_head_of(plain, 7, Fields{{"ETag", "\"a\""}}));
  auto tagged = stored_at_start({{"ETag", "\"a\""}});
  EXPECT_TRUE(is_head_of(tagged, 7, Fields{{"ETag", "\"a\""}}));
  EXPECT_FALSE(is_head_of(tagged, 7, {}));
}

TEST(Stored, it_knows_its_language_when_it_has_just_one) {
  EXPECT_EQ(stored_at_start({{"Content-Language", "de-AT"}}).language, "de-at");
  EXPECT_EQ(stored_at_start({{"Content-Language", "de, en"}}).language, "");
  EXPECT_EQ(stored_at_start({}).language, "");
}

TEST(Stored, a_304_brings_fields_and_times_up_to_date) {
  auto stored = stored_at_start({{"Cache-Control", "max-age=1"},
                                 {"Cache-Control", "stale-if-error=2"},
                                 {"Content-Type", "video/mp4"},
                                 {"Content-Encoding", "gzip"},
                                 {"Content-MD5", "m1"},
                                 {"ETag", "\"a\""},
                                 {"X-Kept", "1"},
                                 {"X-New", "old"}});
  Fields not_modified = {{"Cache-Control", "max-age=60"},
                         {"Content-Type", "text/plain"},
                         {"Content-Encoding", "br"},
                         {"Content-Length", "0"},
                         {"Content-Range", "bytes 0-1/2"},
                         {"Connection", "X-Hop"},
                         {"X-Hop", "1"},
                         {"ETag", "W/\"a\""},
                         {"Content-MD5", "m2"},
                         {"Age", "5"},
                         {"X-New", "1"},
                         {"X-New", "2"}};
  auto fresh = refresh(stored, not_modified, start + seconds(100), start + seconds(100));
  EXPECT_EQ(fresh.head_text,
            "HTTP/1.1 200 OK\r\n"
            "Content-Encoding: gzip\r\n"
            "Content-MD5: m1\r\n"
            "ETag: \"a\"\r\n"
            "X-Kept: 1\r\n"
            "Cache-Control: max-age=60\r\n"
            "Content-Type: text/plain\r\n"
            "X-New: 1\r\n"
            "X-New: 2\r\n"
            "Date: Sun, 06 Nov 1994 08:51:17 GMT\r\n");
  EXPECT_EQ(fresh.freshness.lifetime, seconds(60));
  EXPECT_EQ(fresh.freshness.initial_age, seconds(5));
  EXPECT_EQ(fresh.response_time, start + seconds(100));
}

TEST(Stored, a_soft_purge_ends_the_lifetime_there_and_then) {
  auto stored = stored_at_start({{"Cache-Control", "max-age=60, stale-while-revalidate=30"}});
  auto now = start + seconds(10);
  auto marked = mark_stale(stored, now);
  EXPECT_EQ(judge(stored.freshness, {}, now).use, Use::fresh);
  EXPECT_EQ(judge(marked.freshness, {}, now).use, Use::stale_revalidate);
  EXPECT_EQ(judge(marked.freshness, {}, now + seconds(31)).use, Use::revalidate);
  EXPECT_EQ(mark_stale(marked, now + seconds(5)).freshness.lifetime, marked.freshness.lifetime);
}

TEST(Stored, validators_make_the_request_conditional) {
  auto stored =
      stored_at_start({{"ETag", "\"a\""}, {"Last-Modified", "Sun, 06 Nov 1994 08:00:00 GMT"}});
  http::Headers request;
  add_validators(stored, request);
  EXPECT_EQ(request.find("If-None-Match"), "\"a\"");
  EXPECT_EQ(request.find("If-Modified-Since"), "Sun, 06 Nov 1994 08:00:00 GMT");
  http::Headers bare;
  add_validators(stored_at_start({}), bare);
  EXPECT_TRUE(bare.fields().empty());
}

}  // namespace
}  // namespace relay::edge
