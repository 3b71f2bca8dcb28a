#include "transcoder/live/access_unit.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace relay::transcoder::live {
namespace {

using Units = std::vector<std::string>;

std::string annex_b(const Units& units) {
  std::string stream;
  for (const std::string& unit : units) stream += std::string("\0\0\1", 3) + unit;
  return stream;
}

/// The same however it is cut.
bool is_one(PictureCoding coding, const std::string& stream) {
  AccessUnitScan whole(coding), bytes(coding);
  whole.add(stream);
  for (char byte : stream) bytes.add(std::string_view(&byte, 1));
  EXPECT_EQ(whole.is_one(), bytes.is_one());
  return whole.is_one();
}

const std::string delimiter = "\x09\xf0", sequence = "\x67seq", picture = "\x68pic",
                  enhancement = "\x06sei", filler = "\x0c\xff\xff\x80", end = "\x0a",
                  key = "\x65\x88key", first = "\x41\x9a_first", later = "\x41\x02later";

bool is_one(const Units& units) {
  return is_one(PictureCoding::h264, annex_b(units));
}

TEST(AccessUnitScan, OnePictureOfH264) {
  EXPECT_TRUE(is_one({delimiter, sequence, picture, enhancement, key}));
  EXPECT_TRUE(is_one({first}));
  EXPECT_TRUE(is_one({delimiter, first, later, later}));
  EXPECT_TRUE(is_one({delimiter, first, filler}));
  EXPECT_TRUE(is_one({delimiter, first, end}));
  EXPECT_TRUE(is_one(PictureCoding::h264, std::string(1, '\0') + annex_b({delimiter, first})));
}

TEST(AccessUnitScan, MoreOrLessThanOneOfH264) {
  EXPECT_FALSE(is_one({}));
  EXPECT_FALSE(is_one({delimiter, sequence, picture}));
  EXPECT_FALSE(is_one({delimiter, first, delimiter, first}));
  EXPECT_FALSE(is_one({first, first})) << "two fields, too";
  EXPECT_FALSE(is_one({first, delimiter})) << "the next one's delimiter";
  EXPECT_FALSE(is_one({first, sequence, picture}));
  EXPECT_FALSE(is_one({later, first})) << "begins within a picture";
  EXPECT_FALSE(is_one({delimiter, later}));
  EXPECT_FALSE(is_one(PictureCoding::h264, "rest" + annex_b({delimiter, first})));
  EXPECT_FALSE(is_one(PictureCoding::h264, annex_b({first}).substr(0, 4))) << "no slice yet";
}

TEST(AccessUnitScan, H265) {
  auto one = [](const Units& units) { return is_one(PictureCoding::h265, annex_b(units)); };
  const std::string aud = "\x46\x01\x50", vps = "\x40\x01v", idr = "\x26\x01\x80k",
                    trail = "\x02\x01\x80t", rest = "\x02\x01\x01t", prefix = "\x4e\x01s",
                    suffix = "\x50\x01s", other_layer = "\x02\x09\x80t", eos = "\x48\x01";
  EXPECT_TRUE(one({aud, vps, prefix, idr, suffix}));
  EXPECT_TRUE(one({trail, rest, rest, eos}));
  EXPECT_TRUE(one({trail, other_layer}));
  EXPECT_FALSE(one({trail, trail}));
  EXPECT_FALSE(one({trail, aud}));
  EXPECT_FALSE(one({trail, prefix}));
  EXPECT_FALSE(one({rest}));
  EXPECT_FALSE(one({aud, vps}));
}

TEST(AccessUnitScan, OfOtherCodingsNothingIsKnown) {
  EXPECT_FALSE(is_one(PictureCoding::other, annex_b({delimiter, first})));
}

}  // namespace
}  // namespace relay::transcoder::live
