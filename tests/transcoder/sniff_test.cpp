#include "transcoder/sniff.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

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

// Transport packets, each by the last byte of its head: scrambling, adaptation, counter.
std::string packets(std::initializer_list<unsigned char> last_bytes) {
  std::string stream;
  for (unsigned char last : last_bytes) {
    std::string packet("\x47\x01\x20", 3);
    packet += static_cast<char>(last);
    packet.resize(188, '\xFF');
    stream += packet;
  }
  return stream;
}

TEST(Sniff, ScrambledStreamsAreKnown) {
  EXPECT_TRUE(is_scrambled(packets({0x10, 0x90, 0xD1})));
  EXPECT_FALSE(is_scrambled(packets({0x10, 0x11, 0x92})));
  EXPECT_FALSE(is_scrambled(packets({0x10, 0xA0, 0xA0}))) << "packets without payload do not count";
  EXPECT_FALSE(is_scrambled("x" + packets({0x90, 0x91})));
  EXPECT_FALSE(is_scrambled(packets({0x90}).substr(0, 187)));
  EXPECT_FALSE(is_scrambled(""));
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
