#include "origin/json_outline.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <random>
#include <string>

namespace relay::origin {
namespace {

TEST(JsonOutline, TellsWhereTheMembersOfTheOutermostObjectStand) {
  auto members = outline_json("{\"a\" : {\"inner\": 1},\n \"b\\n\":[{}]}");
  ASSERT_TRUE(members) << members.error().what;
  ASSERT_EQ(members->size(), 2u);
  EXPECT_EQ((*members)[0].name, "\"a\"");
  EXPECT_EQ((*members)[0].name_at, 1u);
  EXPECT_EQ((*members)[0].value_at, 7u);
  EXPECT_EQ((*members)[1].name, "\"b\\n\"");
  EXPECT_EQ((*members)[1].value_at, 28u);
  EXPECT_TRUE(outline_json("[1, 2]")->empty());
}

TEST(JsonOutline, PlacesAreCountedInLinesAndCharacters) {
  EXPECT_EQ(place_in("", 0), "line 1, column 1");
  EXPECT_EQ(place_in("äöü!", 6), "line 1, column 4");
  EXPECT_EQ(place_in("a\nb\nc", 4), "line 3, column 1");
}

/// A text that is JSON or nearly so: one with bytes taken out, put in and exchanged.
std::string damaged(std::mt19937& random) {
  static const std::string whole =
      R"({"title": "Día \u00e9\ud83d\ude00 \n", "tags": ["a", -0.5e+3, [null, true]], "x": {}})";
  static const std::string bytes =
      "{}[]:,\"'\\ \n\t0123456789.eE+-untrfalse/\x01\x7f\x80\xc3\xe2\xed\xf4";
  std::string text = whole;
  for (unsigned changes = 1 + random() % 3; changes > 0; --changes) {
    std::size_t at = random() % text.size();
    char byte = bytes[random() % bytes.size()];
    if (auto kind = random() % 3; kind == 0) {
      text.erase(at, 1 + random() % 4);
    } else if (kind == 1) {
      text.insert(at, 1, byte);
    } else {
      text[at] = byte;
    }
    if (text.empty()) return text;
  }
  return text;
}

TEST(JsonOutline, AgreesWithTheParserAboutWhatIsJson) {
  std::mt19937 random(20);
  int json = 0, mistaken = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = damaged(random);
    boost::system::error_code ec;
    boost::json::parse(text, ec);
    auto outline = outline_json(text);
    EXPECT_EQ(outline.has_value(), !ec) << text << "\n"
                                        << (outline ? ec.message() : outline.error().what);
    if (!outline) EXPECT_LE(outline.error().offset, text.size());
    ++(outline ? json : mistaken);
  }
  EXPECT_GT(json, 1000);
  EXPECT_GT(mistaken, 1000);
}

}  // namespace
}  // namespace relay::origin
