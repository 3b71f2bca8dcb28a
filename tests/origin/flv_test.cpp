#include "origin/live/rtmp/flv.hpp"

#include <gtest/gtest.h>

#include <string>

#include "origin/live/rtmp/amf.hpp"

namespace relay::origin::live::rtmp {
namespace {

TEST(Flv, TagsAreWhatDemuxersRead) {
  Message message{MessageType::video, 0x01020304, 1, std::string("\x17\x00\x00", 3)};
  EXPECT_EQ(role_of(message), TagRole::video_header);
  std::string tag = flv_tag(message);
  EXPECT_EQ(
      tag,
      std::string("\x09\x00\x00\x03\x02\x03\x04\x01\x00\x00\x00\x17\x00\x00\x00\x00\x00\x0e", 18));
  message.payload = std::string("\x17\x01", 2);
  EXPECT_EQ(role_of(message), TagRole::key_picture);
  message.payload = std::string("\x27\x01", 2);
  EXPECT_EQ(role_of(message), TagRole::other);
  EXPECT_EQ(flv_codec(message), "h264");
  Message sound{MessageType::audio, 0, 1, std::string("\xaf\x00\x12\x10", 4)};
  EXPECT_EQ(role_of(sound), TagRole::audio_header);
  EXPECT_EQ(flv_codec(sound), "aac");
  Message data{MessageType::data, 0, 1, write_amf({"@setDataFrame", "onMetaData"})};
  EXPECT_EQ(flv_tag(data).substr(11, 13), write_amf({"onMetaData"}));
  EXPECT_EQ(flv_header().size(), 13u);
}

TEST(Flv, EnhancedHevcGetsTheHeadThatFlvHadBefore) {
  using namespace std::string_literals;
  Message message{MessageType::video, 0, 1, ""};
  auto body = [&](std::string payload) {
    message.payload = std::move(payload);
    std::string tag = flv_tag(message);
    return tag.substr(11, tag.size() - 15);
  };
  EXPECT_EQ(body("\x90hvc1head"s), "\x1c\0\0\0\0head"s);
  EXPECT_EQ(role_of(message), TagRole::video_header);
  EXPECT_EQ(flv_codec(message), "hevc");
  EXPECT_EQ(body("\x91hvc1\xff\xff\xd8picture"s), "\x1c\1\xff\xff\xd8picture"s);
  EXPECT_EQ(role_of(message), TagRole::key_picture);
  EXPECT_EQ(body("\xa3hvc1picture"s), "\x2c\1\0\0\0picture"s);
  EXPECT_EQ(role_of(message), TagRole::other);
  EXPECT_EQ(body("\xd4hvc1colours"s), "\x5c\2\0\0\0"s);
  EXPECT_EQ(role_of(message), TagRole::other);
  for (std::string cut : {"\x90", "\x91hv", "\xa3hvc1"}) body(cut);
  message.payload = "\x90\x61v01";
  EXPECT_EQ(flv_codec(message), "av1");
}

TEST(Flv, HevcWithoutEnhancementIsKnownByItsNumber) {
  Message message{MessageType::video, 0, 1, std::string("\x1c\0\0\0\0head", 9)};
  EXPECT_EQ(flv_codec(message), "hevc");
  EXPECT_EQ(role_of(message), TagRole::video_header);
  EXPECT_EQ(flv_tag(message).substr(11, 9), message.payload);
}

}  // namespace
}  // namespace relay::origin::live::rtmp
