#include "transcoder/live/flv_hevc.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include "common/media/feed.hpp"

namespace relay::transcoder::live {
namespace {

using namespace std::string_literals;

class FlvHevcTrack : public testing::Test {
 protected:
  FlvHevcTrack()
      : format(avformat_alloc_context()), stream(avformat_new_stream(format.get(), nullptr)) {
    stream->codecpar->codec_type = AVMEDIA_TYPE_VIDEO;
    stream->codecpar->codec_tag = media::flv_hevc;
  }

  /// What the demuxer gives for a tag with that body; `packet` is what became of it.
  bool unpack(const std::string& body, std::int64_t dts = 1000) {
    packet = av::make_packet();
    if (av_new_packet(packet.get(), static_cast<int>(body.size())) < 0) return false;
    std::ranges::copy(body, packet->data);
    packet->dts = packet->pts = dts;
    return hevc.unpack(*stream, *packet);
  }
  std::string_view bytes() const {
    return {reinterpret_cast<const char*>(packet->data), static_cast<std::size_t>(packet->size)};
  }
  std::string_view new_head() const {
    std::size_t size = 0;
    const auto* data = av_packet_get_side_data(packet.get(), AV_PKT_DATA_NEW_EXTRADATA, &size);
    return {reinterpret_cast<const char*>(data), size};
  }
  std::string_view first_head() const {
    const AVCodecParameters& coding = *stream->codecpar;
    return {reinterpret_cast<const char*>(coding.extradata),
            static_cast<std::size_t>(coding.extradata_size)};
  }

  av::Input format;
  AVStream* stream;
  FlvHevc hevc;
  av::Packet packet;
};

TEST_F(FlvHevcTrack, APictureHasItsTimeAndNothingOfTheTag) {
  EXPECT_FALSE(unpack("\0\0\0\0head"s)) << "no picture";
  EXPECT_EQ(stream->codecpar->codec_id, AV_CODEC_ID_HEVC);
  EXPECT_EQ(first_head(), "head");
  ASSERT_TRUE(unpack("\1\0\0\x50picture"s));
  EXPECT_EQ(bytes(), "picture");
  EXPECT_EQ(packet->pts, 1080);
  EXPECT_EQ(packet->dts, 1000);
  ASSERT_TRUE(unpack("\1\xff\xff\xd8picture"s));
  EXPECT_EQ(packet->pts, 960) << "offsets may be negative";
  EXPECT_TRUE(new_head().empty());
}

TEST_F(FlvHevcTrack, AnotherHeadGoesWithTheNextPictureAndTheSameOneDoesNot) {
  unpack("\0\0\0\0head"s);
  unpack("\0\0\0\0head"s);
  ASSERT_TRUE(unpack("\1\0\0\0a"s));
  EXPECT_TRUE(new_head().empty());
  unpack("\0\0\0\0other"s);
  ASSERT_TRUE(unpack("\1\0\0\0b"s));
  EXPECT_EQ(new_head(), "other");
  EXPECT_EQ(first_head(), "head") << "what opens decoders stays";
  ASSERT_TRUE(unpack("\1\0\0\0c"s));
  EXPECT_TRUE(new_head().empty());
}

TEST_F(FlvHevcTrack, WhatHoldsNoPictureIsNone) {
  EXPECT_FALSE(unpack("\1\0\0\0picture"s)) << "before its head";
  EXPECT_EQ(stream->codecpar->codec_id, AV_CODEC_ID_NONE);
  unpack("\0\0\0\0head"s);
  for (const std::string& body : {"\1"s, "\1\0\0\0"s, "\2\0\0\0"s, "\2\0\0\0end"s, "\0\0\0\0"s})
    EXPECT_FALSE(unpack(body)) << body.size();
  EXPECT_EQ(first_head(), "head");
}

TEST_F(FlvHevcTrack, OnlyATrackOfThatNumberIsOne) {
  EXPECT_TRUE(FlvHevc::is(*stream));
  stream->codecpar->codec_tag = 7;
  EXPECT_FALSE(FlvHevc::is(*stream));
}

}  // namespace
}  // namespace relay::transcoder::live
