#include "transcoder/boxes.hpp"

#include <gtest/gtest.h>

// A line of hexadecimal digits is a field of a box: keep them so.
// clang-format off
namespace relay::transcoder {
namespace {

const TrackSpec video{.name = "v720", .codec = Codec::h264, .timescale = 90000};
const TrackSpec audio{.name = "audio", .codec = Codec::aac, .timescale = 48000};

Sample sample(std::int64_t dts, std::int64_t pts, std::int64_t duration, bool sync,
              std::string_view data) {
  return {dts, pts, duration, sync, {data.begin(), data.end()}};
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (unsigned char c : bytes) {
    constexpr char digits[] = "0123456789abcdef";
    text += digits[c >> 4];
    text += digits[c & 15];
  }
  return text;
}

TEST(Boxes, VideoSegmentIsExactToTheByte) {
  Segment segment{.number = 6, .samples = {sample(900000, 903600, 3600, true, "key!"),
                                           sample(903600, 910800, 3600, false, "b"),
                                           sample(907200, 907200, 3601, false, "cd")}};
  auto built = build_segment(video, segment);
  ASSERT_TRUE(built) << built.error().message;
  EXPECT_EQ(hex(built->bytes),
            // styp msdh 0 msdh cmfs
            "00000018" "73747970" "6d736468" "00000000" "6d736468" "636d6673"
            // the key picture's moof
            "00000068" "6d6f6f66"
            // mfhd, sequence number 6 * 64 + 1
            "00000010" "6d666864" "00000000" "00000181"
            "00000050" "74726166"
            // tfhd: default-base-is-moof, track 1, duration 3600, sync
            "00000018" "74666864" "00020028" "00000001" "00000e10" "02000000"
            // tfdt version 1: 900000
            "00000014" "74666474" "01000000" "00000000000dbba0"
            // trun version 1: offset, size, composition; 1 sample
            "0000001c" "7472756e" "01000a01" "00000001" "00000070" "00000004" "00000e10"
            "0000000c" "6d646174" "6b657921"
            // moof of the others
            "00000074" "6d6f6f66"
            "00000010" "6d666864" "00000000" "00000182"
            "0000005c" "74726166"
            // tfhd: track 1, not sync
            "00000014" "74666864" "00020020" "00000001" "01010000"
            "00000014" "74666474" "01000000" "00000000000dc9b0"
            // trun version 1: offset, duration, size, composition; 2 samples
            "0000002c" "7472756e" "01000b01" "00000002" "0000007c"
            "00000e10" "00000001" "00001c20"
            "00000e11" "00000002" "00000000"
            // mdat
            "0000000b" "6d646174" "62" "6364");
  EXPECT_EQ(built->digest, digest128(built->bytes));
  EXPECT_EQ(built->keys, (std::vector<media::KeyPicture>{{24, 0x68 + 12, 0}}));
}

TEST(Boxes, WhatAllSamplesShareStandsOnce) {
  std::int64_t later_than_32_bits = 1ll << 33;
  Segment segment{.number = 0, .samples = {sample(later_than_32_bits, later_than_32_bits, 1024,
                                                  true, "a"),
                                           sample(later_than_32_bits + 1024,
                                                  later_than_32_bits + 1024, 1024, true, "b")}};
  auto built = build_segment(audio, segment);
  ASSERT_TRUE(built) << built.error().message;
  EXPECT_EQ(hex(std::string_view(built->bytes).substr(24)),
            "00000068" "6d6f6f66"
            "00000010" "6d666864" "00000000" "00000001"
            "00000050" "74726166"
            // tfhd: default duration 1024 and flags
            "00000018" "74666864" "00020028" "00000001" "00000400" "02000000"
            "00000014" "74666474" "01000000" "0000000200000000"
            // trun: offset and sizes only
            "0000001c" "7472756e" "01000201" "00000002" "00000070" "00000001" "00000001"
            "0000000a" "6d646174" "6162");
}

TEST(Boxes, KeyPicturesStandAloneASecondApart) {
  Segment segment{.number = 0};
  for (int i = 0; i < 9; ++i)  // half a second each; two of three are key pictures
    segment.samples.push_back(sample(i * 45000, i * 45000, 45000, i % 3 != 2, "x"));
  auto built = build_segment(video, segment);
  ASSERT_TRUE(built) << built.error().message;
  std::vector<std::int64_t> times;
  for (const media::KeyPicture& key : built->keys) {
    times.push_back(key.microseconds);
    EXPECT_EQ(built->bytes.substr(key.offset + 4, 4), "moof");
    EXPECT_EQ(built->bytes.substr(key.offset + key.bytes - 5, 5), "mdatx");
  }
  EXPECT_EQ(times, (std::vector<std::int64_t>{0, 1'500'000, 3'000'000}));
  EXPECT_EQ(built->digest, digest128(built->bytes));
  segment.samples = {sample(0, 0, 48000, true, "a"), sample(48000, 48000, 48000, true, "b")};
  auto sound = build_segment(audio, segment);
  EXPECT_TRUE(sound->keys.empty());
}

TEST(Boxes, RefusesSamplesThatBreakTheRules) {
  struct Row {
    std::vector<Sample> samples;
    const char* message;
  } rows[] = {
      {{}, "piece 3 of v720 has no sample"},
      {{sample(0, 0, 1, false, "x")}, "piece 3 of v720 begins a segment with no key frame"},
      {{sample(-1, 0, 1, true, "x")}, "piece 3 of v720 begins before time 0"},
      {{sample(0, 0, 1, true, "x"), sample(2, 2, 1, false, "x")},
       "piece 3 of v720 has a gap between its samples"},
      {{sample(5, 4, 1, true, "x")},
       "piece 3 of v720 shows a sample before it is decoded, or far too late"},
      {{sample(0, 0, 0, true, "x")}, "piece 3 of v720 has a sample without a duration"},
  };
  for (const Row& row : rows) {
    auto built = build_segment(video, {.number = 3, .samples = row.samples});
    ASSERT_FALSE(built) << row.message;
    EXPECT_EQ(built.error().message, row.message);
    EXPECT_EQ(built.error().kind, ErrorKind::internal);
  }
}

}  // namespace
}  // namespace relay::transcoder
// clang-format on
