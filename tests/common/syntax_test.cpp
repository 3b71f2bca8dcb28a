// Lists, quoted strings and numbers that all fields share.
#include "common/http/syntax.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace relay::http {
namespace {

std::vector<std::string> elements(std::string_view list, char separator = ',') {
  std::vector<std::string> all;
  while (auto element = next_element(list, separator)) all.emplace_back(*element);
  return all;
}

using Strings = std::vector<std::string>;

TEST(Lists, Elements) {
  EXPECT_EQ(elements("a, b ,\tc"), (Strings{"a", "b", "c"}));
  EXPECT_EQ(elements(",, a,,b, "), (Strings{"a", "b"}));
  EXPECT_EQ(elements("a=\"x, \\\"y,\", b"), (Strings{"a=\"x, \\\"y,\"", "b"}));
  EXPECT_EQ(elements("a=\"open, b"), (Strings{"a=\"open, b"}));
  EXPECT_EQ(elements("a\\"), (Strings{"a\\"}));
  EXPECT_EQ(elements("a;q=1", ';'), (Strings{"a", "q=1"}));
  EXPECT_EQ(elements(""), Strings{});
}

TEST(Lists, HasElement) {
  EXPECT_TRUE(has_element("Accept, accept-ENCODING", "Accept-Encoding"));
  EXPECT_FALSE(has_element("Accept-Encoding", "Accept"));
}

TEST(QuotedStrings, Unquote) {
  EXPECT_EQ(unquote("\"a\\\"b\\\\\""), "a\"b\\");
  EXPECT_EQ(unquote("\"\""), "");
  for (const char* text : {"", "\"", "a", "\"a", "a\"", "\"a\"b\"", "\"a\\\""}) {
    EXPECT_EQ(unquote(text), std::nullopt) << text;
  }
}

TEST(Numbers, Decimal) {
  EXPECT_EQ(read_decimal("0"), 0u);
  EXPECT_EQ(read_decimal("0042"), 42u);
  EXPECT_EQ(read_decimal("9223372036854775807"), 9223372036854775807u);
  for (const char* text :
       {"", "-1", "+1", " 1", "1 ", "1a", "9223372036854775808", "99999999999999999999"}) {
    EXPECT_EQ(read_decimal(text), std::nullopt) << text;
  }
}

TEST(Numbers, Hexadecimal) {
  EXPECT_EQ(hex_value('0'), 0);
  EXPECT_EQ(hex_value('f'), 15);
  EXPECT_EQ(hex_value('F'), 15);
  for (char c : {'g', 'G', '/', ':', '@', '`', ' ', '\0', '\xff'}) EXPECT_EQ(hex_value(c), -1);
}

TEST(Tokens, Bytes) {
  EXPECT_TRUE(is_token("M-SEARCH!#$%&'*+.^_`|~9"));
  for (const char* text : {"", "a b", "a:", "a/b", "a\x7f", "\xc3\xa9", "(a)", "a,b", "a\""}) {
    EXPECT_FALSE(is_token(text)) << text;
  }
}

}  // namespace
}  // namespace relay::http
