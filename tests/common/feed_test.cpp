#include "common/media/feed.hpp"

#include <gtest/gtest.h>

namespace relay::media {
namespace {

TEST(Feed, FramesComeBackAsTheyWent) {
  std::string bytes = feed_begin(FeedSlot::backup, FeedFormat::mpegts) +
                      feed_data(FeedSlot::backup, "payload") + feed_end(FeedSlot::backup);
  auto begin = take_feed_frame(bytes);
  ASSERT_TRUE(begin && *begin);
  EXPECT_EQ((*begin)->frame.kind, FeedFrame::Kind::begin);
  EXPECT_EQ((*begin)->frame.slot, FeedSlot::backup);
  EXPECT_EQ((*begin)->frame.format, FeedFormat::mpegts);
  bytes.erase(0, (*begin)->bytes);
  auto data = take_feed_frame(bytes);
  ASSERT_TRUE(data && *data);
  EXPECT_EQ((*data)->frame.kind, FeedFrame::Kind::data);
  EXPECT_EQ((*data)->frame.payload, "payload");
  bytes.erase(0, (*data)->bytes);
  auto end = take_feed_frame(bytes);
  ASSERT_TRUE(end && *end);
  EXPECT_EQ((*end)->frame.kind, FeedFrame::Kind::end);
  EXPECT_EQ((*end)->bytes, bytes.size());
}

TEST(Feed, AFrameThatIsNotWholeWaits) {
  std::string bytes = feed_data(FeedSlot::primary, "payload");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    auto taken = take_feed_frame(std::string_view(bytes).substr(0, size));
    ASSERT_TRUE(taken) << size;
    EXPECT_FALSE(*taken) << size;
  }
}

TEST(Feed, WhatIsNoFrameIsCorrupt) {
  auto changed = [](std::string bytes, std::size_t at, char to) {
    bytes[at] = to;
    auto taken = take_feed_frame(bytes);
    return !taken && taken.error().kind == ErrorKind::corrupt;
  };
  std::string data = feed_data(FeedSlot::primary, "x");
  EXPECT_TRUE(changed(data, 0, 2)) << "slot";
  EXPECT_TRUE(changed(data, 1, 0)) << "kind";
  EXPECT_TRUE(changed(data, 1, 4)) << "kind";
  EXPECT_TRUE(changed(data, 3, 1)) << "format of data";
  EXPECT_TRUE(changed(data, 4, 1)) << "length";
  EXPECT_TRUE(changed(data, 7, 0)) << "no data";
  EXPECT_TRUE(changed(feed_begin(FeedSlot::primary, FeedFormat::flv), 3, 0)) << "format";
  EXPECT_TRUE(changed(feed_end(FeedSlot::primary), 7, 1)) << "an end with data";
}

}  // namespace
}  // namespace relay::media
