#include "transcoder/sniff.hpp"

#include <gtest/gtest.h>

namespace relay::transcoder {
namespace {

using namespace std::string_view_literals;

TEST(Sniff, NamesWhatPeopleSendByMistake) {
  EXPECT_EQ(name_of_content("\xFF\xD8\xFF\xE0"sv), "a JPEG picture");
  EXPECT_EQ(name_of_content("\0\0\0\x18"
                            "ftypheic"sv),
            "a HEIC or AVIF picture");
  EXPECT_TRUE(name_of_content("#EXTM3U\n#EXT-X-VERSION:3\n").starts_with("an HLS playlist"));
  EXPECT_TRUE(name_of_content("ffconcat version 1.0\nfile x").starts_with("a list of other files"));
  EXPECT_EQ(name_of_content("just words, and a line\n"), "text");
  EXPECT_EQ(name_of_content("\x01\x02\x03\x04"), "");
  EXPECT_EQ(name_of_content(""), "");
}

TEST(Sniff, LanguagesAreShortTags) {
  EXPECT_EQ(language_tag("eng"), "en");
  EXPECT_EQ(language_tag("ger"), "de");
  EXPECT_EQ(language_tag("gsw"), "gsw");
  EXPECT_EQ(language_tag(""), "und");
  EXPECT_EQ(language_tag("und"), "und");
  EXPECT_EQ(language_tag("E\"\n"), "und");
}

}  // namespace
}  // namespace relay::transcoder
