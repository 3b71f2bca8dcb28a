#include "transcoder/codecs.hpp"

#include <gtest/gtest.h>

namespace relay::transcoder {
namespace {

TEST(Codecs, ComeFromTheDecoderConfiguration) {
  struct Row {
    Codec codec;
    std::vector<std::uint8_t> extradata;
    const char* codecs;
  } rows[] = {
      {Codec::h264, {1, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0}, "avc1.64001f"},
      {Codec::h264, {1, 0x42, 0xc0, 0x0d, 0xff, 0xe1, 0}, "avc1.42c00d"},
      {Codec::aac, {0x11, 0x90}, "mp4a.40.2"},
      {Codec::aac, {0x2b, 0x92, 0x08, 0x00}, "mp4a.40.5"},
      {Codec::aac, {0xf9, 0x40}, "mp4a.40.42"},  // behind the escape value
  };
  for (const Row& row : rows) {
    auto codecs = codecs_of({.codec = row.codec, .extradata = row.extradata});
    ASSERT_TRUE(codecs) << row.codecs;
    EXPECT_EQ(*codecs, row.codecs);
  }
}

TEST(Codecs, AreNeverGuessed) {
  EXPECT_FALSE(codecs_of({.codec = Codec::h264, .extradata = {0, 0, 0, 1, 0x67, 0x64, 0}}));
  EXPECT_FALSE(codecs_of({.codec = Codec::h264, .extradata = {1, 0x64}}));
  EXPECT_FALSE(codecs_of({.codec = Codec::aac, .extradata = {0x11}}));
  EXPECT_FALSE(codecs_of({.codec = Codec::aac, .extradata = {0x00, 0x10}}));
}

}  // namespace
}  // namespace relay::transcoder
