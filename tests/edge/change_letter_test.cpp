#include "edge/change_letter.hpp"

#include <gtest/gtest.h>

namespace relay::edge {
namespace {

TEST(ChangeLetter, ComesBackAsItWasWritten) {
  for (const ChangeLetter& letter :
       {ChangeLetter{"edge-1", {}},
        ChangeLetter{"edge-2", {"/a?b=\"c\"", "host.example/x\\y", ""}}}) {
    auto read = decode_change_letter(encode(letter));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, letter);
  }
}

TEST(ChangeLetter, IsNeverLargerThanIsTaken) {
  ChangeLetter letter{std::string(64, 'e'), {}};
  for (std::size_t i = 0; i < change_keys_bytes_max / 4; ++i) letter.keys.emplace_back("\"\"\"\"");
  EXPECT_LE(encode(letter).size(), change_letter_bytes_max);
}

TEST(ChangeLetter, OthersAreRefusedInWords) {
  for (const char* wrong :
       {"", "[]", "{}", R"({"from":"edge-1"})", R"({"keys":[]})", R"({"from":"a b","keys":[]})",
        R"({"from":"edge-1","keys":{}})", R"({"from":"edge-1","keys":["/a",1]})",
        R"({"from":"edge-1","keys":["/a"])"}) {
    auto read = decode_change_letter(wrong);
    ASSERT_FALSE(read) << wrong;
    EXPECT_EQ(read.error().kind, ErrorKind::invalid);
    EXPECT_NE(read.error().message.find("letter about changes"), std::string::npos);
  }
}

}  // namespace
}  // namespace relay::edge
