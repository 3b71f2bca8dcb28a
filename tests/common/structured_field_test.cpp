// Structured Fields: what CDN-Cache-Control, Cache-Status, Priority and Repr-Digest look like.
#include "common/http/structured_field.hpp"

#include <gtest/gtest.h>

#include "common/http/base64.hpp"

namespace relay::http::structured {
namespace {

TEST(Items, ReadAndWritten) {
  struct {
    const char* text;
    BareItem value;
    const char* written;
  } const cases[] = {
      {"42", std::int64_t{42}, "42"},
      {" -0 ", std::int64_t{0}, "0"},
      {"00042", std::int64_t{42}, "42"},
      {"-999999999999999", std::int64_t{-999999999999999}, "-999999999999999"},
      {"4.5", Decimal{4500}, "4.5"},
      {"-0.50", Decimal{-500}, "-0.5"},
      {"1.0", Decimal{1000}, "1.0"},
      {"\"a \\\"b\\\\\"", std::string("a \"b\\"), "\"a \\\"b\\\\\""},
      {"\"\"", std::string(), "\"\""},
      {"foo/bar:*", Token{"foo/bar:*"}, "foo/bar:*"},
      {"*a", Token{"*a"}, "*a"},
      {":aGVsbG8=:", Bytes{"hello"}, ":aGVsbG8=:"},
      {":aGVsbG8:", Bytes{"hello"}, ":aGVsbG8=:"},
      {"::", Bytes{""}, "::"},
      {"?1", true, "?1"},
      {"?0", false, "?0"},
  };
  for (const auto& c : cases) {
    auto item = read_item(c.text);
    ASSERT_TRUE(item) << c.text;
    EXPECT_EQ(item->value, c.value) << c.text;
    EXPECT_EQ(write(*item), c.written) << c.text;
  }
}

TEST(Items, Refused) {
  for (const char* text : {"",
                           " ",
                           "1234567890123456",
                           "1.",
                           ".5",
                           "1.2345",
                           "1234567890123.1",
                           "--1",
                           "-",
                           "1 2",
                           "\"a",
                           "\"a\\n\"",
                           "\"\xc3\xa9\"",
                           "\"a\tb\"",
                           ":a",
                           ":aGVsbG8=:x",
                           ":a:",
                           ":%:",
                           "?2",
                           "?",
                           "&",
                           "=",
                           "a b",
                           "a;",
                           "a;B",
                           "a;b=",
                           "\t1",
                           "1\t"}) {
    EXPECT_FALSE(read_item(text)) << text;
  }
}

TEST(Items, Parameters) {
  auto item = read_item("u;a;b=2; c=\"x\";b=3");
  ASSERT_TRUE(item);
  ASSERT_EQ(item->parameters.size(), 3u);
  EXPECT_EQ(*find(item->parameters, "a"), BareItem(true));
  EXPECT_EQ(*find(item->parameters, "b"), BareItem(std::int64_t{3}));
  EXPECT_EQ(find(item->parameters, "d"), nullptr);
  EXPECT_EQ(write(*item), "u;a;b=3;c=\"x\"");
}

TEST(Lists, CacheStatus) {
  auto list = read_list("edge-1; hit; ttl=30 ,\t\"edge 2\";fwd=stale;fwd-status=304, (a b);q=1");
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 3u);
  EXPECT_EQ(std::get<Item>((*list)[0]).value, BareItem(Token{"edge-1"}));
  EXPECT_EQ(std::get<Item>((*list)[1]).value, BareItem(std::string("edge 2")));
  EXPECT_EQ(std::get<InnerList>((*list)[2]).items.size(), 2u);
  EXPECT_EQ(write(*list), "edge-1;hit;ttl=30, \"edge 2\";fwd=stale;fwd-status=304, (a b);q=1");
  EXPECT_EQ(read_list(""), List{});
}

TEST(Lists, Refused) {
  for (const char* text : {"a,", ",a", "a,,b", "a b", "(a", "(a,b)", "(a\"b\")", "a, "}) {
    EXPECT_FALSE(read_list(text)) << text;
  }
}

TEST(Dictionaries, DirectivesAndDigests) {
  auto directives = read_dictionary("max-age=600, no-store;x=1, a=?0, max-age=5, s=(1 2);p");
  ASSERT_TRUE(directives);
  EXPECT_EQ(*find_value<std::int64_t>(*directives, "max-age"), 5);
  EXPECT_EQ(*find_value<bool>(*directives, "no-store"), true);
  EXPECT_EQ(find_value<bool>(*directives, "max-age"), nullptr);
  EXPECT_EQ(write(*directives), "max-age=5, no-store;x=1, a=?0, s=(1 2);p");
  auto digest = read_dictionary("xxh3-128=:AAECAwQFBgcICQoLDA0ODw==:");
  ASSERT_TRUE(digest);
  EXPECT_EQ(find_value<Bytes>(*digest, "xxh3-128")->data.size(), 16u);
  EXPECT_EQ(write(*digest), "xxh3-128=:AAECAwQFBgcICQoLDA0ODw==:");
  EXPECT_EQ(read_dictionary(" "), Dictionary{});
}

TEST(Dictionaries, Refused) {
  for (const char* text : {"max-age=10000, &&&&&", "MaX-aGe=3600", "max-age =100", "max-age= 100",
                           "a=1,", "a=", "1=a", "a;=1", "=1"}) {
    EXPECT_FALSE(read_dictionary(text)) << text;
  }
}

TEST(Dictionaries, HaveALimit) {
  std::string text = "k0";
  for (int i = 1; i < 1024; ++i) text += ",k" + std::to_string(i);
  EXPECT_TRUE(read_dictionary(text));
  EXPECT_TRUE(read_list(text));
  EXPECT_FALSE(read_dictionary(text + ",x"));
  EXPECT_FALSE(read_list(text + ",x"));
}

TEST(Write, RefusesWhatCannotBeWritten) {
  EXPECT_FALSE(write(Item{std::int64_t{1'000'000'000'000'000}, {}}));
  EXPECT_FALSE(write(Item{std::string("caf\xc3\xa9"), {}}));
  EXPECT_FALSE(write(Item{Token{"1a"}, {}}));
  EXPECT_FALSE(write(Item{Token{""}, {}}));
  EXPECT_FALSE(write(Item{true, {{"Key", true}}}));
  EXPECT_FALSE(write(Dictionary{{"", Item{true, {}}}}));
}

TEST(Base64, EveryRemainder) {
  const std::pair<std::string, std::string> cases[] = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"\xfb\xff", "+/8="}};
  for (const auto& [data, text] : cases) {
    std::string written;
    append_base64(written, data);
    EXPECT_EQ(written, text);
    EXPECT_EQ(decode_base64(text), data);
  }
  for (const char* text : {"Z", "Zg=a", "Zm9v=Zg", "Z m8", "Zm9vZ", "===="}) {
    EXPECT_EQ(decode_base64(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace relay::http::structured
