// Fields and the headers that own them.
#include "common/http/message.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace relay::http {
namespace {

std::string text(const Headers& headers) {
  std::string all;
  headers.append_to(all);
  return all;
}

TEST(Fields, FindCountAndJoin) {
  Headers headers{{"Accept", "a"}, {"X", "1"}, {"ACCEPT", "b"}};
  EXPECT_EQ(find(headers, "accept"), "a");
  EXPECT_EQ(find(headers, "accep"), std::nullopt);
  EXPECT_EQ(count(headers, "aCCept"), 2u);
  EXPECT_EQ(joined(headers, "accept"), "a, b");
  EXPECT_EQ(joined(headers, "none"), "");
}

TEST(Fields, NamesCompareLettersOnlyWithoutCase) {
  EXPECT_TRUE(same_name("Content-LENGTH", "content-length"));
  EXPECT_FALSE(same_name("a@", "a`"));
  EXPECT_FALSE(same_name("a", "ab"));
}

TEST(Headers, SetKeepsThePlaceAndRemovesTheOthers) {
  Headers headers{{"A", "1"}, {"B", "2"}, {"a", "3"}, {"C", "4"}};
  headers.set("a", "5");
  EXPECT_EQ(text(headers), "a: 5\r\nB: 2\r\nC: 4\r\n");
  headers.set("D", "6");
  headers.remove("b");
  EXPECT_EQ(text(headers), "a: 5\r\nC: 4\r\nD: 6\r\n");
}

TEST(Headers, SetFromItsOwnText) {
  Headers headers{{"A", "value"}};
  for (int i = 0; i < 100; ++i) headers.set("A", *headers.find("A"));
  EXPECT_EQ(text(headers), "A: value\r\n");
}

TEST(Headers, CopyIsIndependentAndMoveKeepsViews) {
  auto first = std::make_unique<Headers>(Headers{{"A", "1"}});
  std::string_view before = *first->find("A");
  Headers copy = *first;
  Headers moved = std::move(*first);
  EXPECT_EQ(before.data(), moved.find("A")->data());
  first->add("B", "2");  // a moved-from object may be used again
  EXPECT_EQ(text(*first), "B: 2\r\n");
  moved.add("C", "3");
  first.reset();
  EXPECT_EQ(text(moved), "A: 1\r\nC: 3\r\n");
  EXPECT_EQ(text(copy), "A: 1\r\n");
  copy = moved;
  moved = Headers{};
  EXPECT_EQ(text(copy), "A: 1\r\nC: 3\r\n");
}

TEST(Headers, ViewsOutliveLaterFields) {
  Headers headers{{"A", "1"}};
  std::string_view early = *headers.find("A");
  for (int i = 0; i < 1000; ++i) headers.add("Name", "some value");
  EXPECT_EQ(early, "1");
  EXPECT_EQ(headers.fields().size(), 1001u);
  EXPECT_EQ(headers.fields().back().value, "some value");
}

TEST(ReasonPhrase, KnownAndUnknown) {
  EXPECT_EQ(reason_phrase(100), "Continue");
  EXPECT_EQ(reason_phrase(206), "Partial Content");
  EXPECT_EQ(reason_phrase(404), "Not Found");
  EXPECT_EQ(reason_phrase(508), "Loop Detected");
  EXPECT_EQ(reason_phrase(999), "Unknown");
  EXPECT_EQ(reason_phrase(0), "Unknown");
}

}  // namespace
}  // namespace relay::http
