#include "transcoder/init.hpp"

#include <gtest/gtest.h>

namespace relay::transcoder {
namespace {

const TrackSpec video{.name = "v180",
                      .codec = Codec::h264,
                      .timescale = 600,
                      .extradata = {1,    0x42, 0xc0, 0x0c, 0xff, 0xe1, 0x00, 0x05, 0x67, 0x42,
                                    0xc0, 0x0c, 0xd9, 0x01, 0x00, 0x04, 0x68, 0xcb, 0x83, 0xcb},
                      .width = 320,
                      .height = 180,
                      .frame_rate = {25, 1}};
const TrackSpec audio{.name = "audio",
                      .codec = Codec::aac,
                      .timescale = 44100,
                      .extradata = {0x12, 0x10},
                      .sample_rate = 44100,
                      .channels = 2};

std::uint32_t u32_at(const std::string& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

// Of mdhd version 0: 4 bytes of version and flags, two times, then the timescale.
std::uint32_t timescale_of(const std::string& init) {
  return u32_at(init, init.find("mdhd") + 16);
}

TEST(Init, HoldsTheTrackAndNothingElse) {
  for (const TrackSpec* track : {&video, &audio}) {
    auto init = build_init(*track);
    ASSERT_TRUE(init) << init.error().message;
    EXPECT_EQ(init->substr(4, 4), "ftyp");
    EXPECT_NE(init->find("cmfc"), init->npos);
    EXPECT_EQ(timescale_of(*init), track->timescale);
    EXPECT_NE(init->find("trex"), init->npos);
    EXPECT_EQ(init->find("elst"), init->npos);
    EXPECT_EQ(init->find("moof"), init->npos);
    EXPECT_EQ(init->find("Lavf"), init->npos);
    std::string extradata(track->extradata.begin(), track->extradata.end());
    EXPECT_NE(init->find(extradata), init->npos);
    // Two boxes, and the second ends with the file.
    std::uint32_t ftyp = u32_at(*init, 0);
    EXPECT_EQ(init->substr(ftyp + 4, 4), "moov");
    EXPECT_EQ(ftyp + u32_at(*init, ftyp), init->size());
  }
}

TEST(Init, IsTheSameEveryTime) {
  EXPECT_EQ(build_init(video).value(), build_init(video).value());
}

TEST(Init, RefusesClocksThatTheSegmentsWouldNotShare) {
  TrackSpec wrong = audio;
  wrong.timescale = 90000;
  EXPECT_FALSE(build_init(wrong));
  wrong = video;
  wrong.timescale = 1ll << 32;
  EXPECT_FALSE(build_init(wrong));
  wrong.timescale = 0;
  EXPECT_FALSE(build_init(wrong));
}

}  // namespace
}  // namespace relay::transcoder
