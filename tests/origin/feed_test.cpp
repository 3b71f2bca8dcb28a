#include "origin/live/feed.hpp"

#include <gtest/gtest.h>

namespace relay::origin::live {
namespace {

using media::FeedSlot;

class FeedTest : public testing::Test {
 protected:
  auto open(FeedSlot slot, BusySlot busy) {
    return line->open(slot, media::FeedFormat::flv, busy, AdmittedBy::stream_key);
  }
  std::shared_ptr<FeedLine> line = std::make_shared<FeedLine>(FeedLimits{}, [] {});
};

TEST_F(FeedTest, WhoIsRefusedOnABusySlotHearsWhatHeMayDo) {
  auto first = open(FeedSlot::backup, BusySlot::refuse);
  auto second = open(FeedSlot::backup, BusySlot::refuse);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::conflict);
  EXPECT_EQ(second.error().message,
            "somebody publishes on slot backup of this channel already; publish beside him with "
            "slot=primary, or in his place once the channel has \"busy_slot\": \"replace\"");
  EXPECT_TRUE(open(FeedSlot::primary, BusySlot::refuse)) << "as it was told";
  EXPECT_TRUE(open(FeedSlot::backup, BusySlot::replace));
}

TEST_F(FeedTest, WhoWasReplacedSaysNothingOfTheSlotAnyMore) {
  auto first = open(FeedSlot::primary, BusySlot::replace);
  auto second = open(FeedSlot::primary, BusySlot::replace);
  ASSERT_TRUE(first && second);
  (*first)->refuse("vp9 is not taken");
  EXPECT_EQ(line->refusals(FeedSlot::primary).count, 0u);
  EXPECT_TRUE((*second)->write("tag", Unit::other));
  (*second)->refuse("av1 is not taken");
  EXPECT_EQ(line->refusals(FeedSlot::primary).recent, "av1 is not taken");
  EXPECT_FALSE(line->is_taken(FeedSlot::primary));
}

}  // namespace
}  // namespace relay::origin::live
