#include "origin/live/rtmp/amf.hpp"

#include <gtest/gtest.h>

namespace relay::origin::live::rtmp {
namespace {

TEST(Amf, ValuesComeBack) {
  Amf::Object object{{"app", "demo"}, {"level", 3.5}, {"inner", Amf::Object{{"a", "b"}}}};
  std::string bytes = write_amf({"connect", 1.0, object, Amf(), std::string(70'000, 'x')});
  auto values = read_amf(bytes);
  ASSERT_TRUE(values) << values.error().message;
  ASSERT_EQ(values->size(), 5u);
  EXPECT_EQ((*values)[0].text(), "connect");
  EXPECT_EQ((*values)[1].number(), 1.0);
  ASSERT_TRUE((*values)[2].member("inner"));
  EXPECT_EQ((*values)[2].member("inner")->member("a")->text(), "b");
  EXPECT_EQ((*values)[2].member("level")->number(), 3.5);
  EXPECT_FALSE((*values)[2].member("absent"));
  EXPECT_EQ((*values)[3].text(), "");
  EXPECT_EQ((*values)[4].text().size(), 70'000u);
}

TEST(Amf, ArraysAndDatesAreRead) {
  std::string array("\x08\x00\x00\x00\x01\x00\x01w\x00\x40\x94\x00\x00\x00\x00\x00\x00\x00\x00\x09",
                    20);
  std::string strict("\x0a\x00\x00\x00\x01\x05", 6),
      date("\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 11);
  auto values = read_amf(array + strict + date + std::string("\x01\x01", 2));
  ASSERT_TRUE(values) << values.error().message;
  ASSERT_EQ(values->size(), 4u);
  EXPECT_EQ((*values)[0].member("w")->number(), 1280);
}

TEST(Amf, BadValuesAreErrors) {
  EXPECT_FALSE(read_amf("\x02"));  // a text without its length
  EXPECT_FALSE(
      read_amf(std::string("\x02\x00\x05"
                           "ab",
                           5)));                           // shorter than it says
  EXPECT_FALSE(read_amf("\x0f"));                          // XML
  EXPECT_FALSE(read_amf(std::string("\x03\x00\x01", 3)));  // an object without an end
  std::string deep;
  for (std::size_t i = 0; i < amf_depth_max + 2; ++i) deep += std::string("\x03\x00\x01x", 4);
  EXPECT_EQ(read_amf(deep).error().message, "AMF: nested too deep");
  EXPECT_EQ(read_amf(std::string(amf_values_max + 1, '\x05')).error().message,
            "AMF: too many values");
  EXPECT_FALSE(read_amf(std::string("\x0a\xff\xff\xff\xff", 5)));  // an array of four billion
}

}  // namespace
}  // namespace relay::origin::live::rtmp
