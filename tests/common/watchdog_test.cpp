#include "common/net/watchdog.hpp"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include <vector>

namespace relay::net {
namespace {

using namespace std::chrono_literals;

struct Wait : Watched {
  void expire() override { ++expired; }
  bool given_up() const override { return unwanted; }
  void drain() override { ++drained; }
  int expired = 0, drained = 0;
  bool unwanted = false;
};

class WatchdogTest : public testing::Test {
 protected:
  /// Until the wait has expired, or for so long that it should have.
  void run_until_expired(const Wait& wait) {
    SteadyTime until = steady_now() + 10s;
    while (!wait.expired && steady_now() < until) io_.run_one_for(10ms);
  }
  void watch(Wait& wait, std::chrono::milliseconds deadline) {
    dog_.watch(wait);
    wait.arm(deadline);
  }

  asio::io_context io_{1};
  Watchdog& dog_ = asio::use_service<Watchdog>(io_);
  Wait one_, other_;
};

TEST_F(WatchdogTest, ADeadlinePassesOnce) {
  watch(one_, 100ms);
  watch(other_, 900ms);
  run_until_expired(other_);
  EXPECT_EQ(one_.expired, 1);
  EXPECT_EQ(other_.expired, 1);
}

TEST_F(WatchdogTest, AFarDeadlineCanBecomeANearOne) {
  watch(one_, 1h);
  one_.arm(75s);
  one_.arm(100ms);
  run_until_expired(one_);
  EXPECT_EQ(one_.expired, 1);
}

TEST_F(WatchdogTest, ANearDeadlineCanBecomeAFarOne) {
  watch(one_, 100ms);
  one_.arm(75s);
  watch(other_, 700ms);
  run_until_expired(other_);
  EXPECT_EQ(one_.expired, 0);
  one_.arm(100ms);
  run_until_expired(one_);
  EXPECT_EQ(one_.expired, 1);
}

TEST_F(WatchdogTest, WhatIsDisarmedStays) {
  watch(one_, 100ms);
  one_.disarm();
  watch(other_, 700ms);
  run_until_expired(other_);
  EXPECT_EQ(one_.expired, 0);
}

TEST_F(WatchdogTest, WhatIsGivenUpDoesNotWaitForItsDeadline) {
  dog_.watch_closely(one_);
  one_.arm(1h);
  one_.unwanted = true;
  run_until_expired(one_);
  EXPECT_GE(one_.expired, 1);
}

TEST_F(WatchdogTest, WhatIsWatchedCloselyHasDeadlinesToo) {
  dog_.watch_closely(one_);
  one_.arm(100ms);
  run_until_expired(one_);
  EXPECT_EQ(one_.expired, 1);
}

TEST_F(WatchdogTest, DrainingTellsAllAndEndsTheRestAfterTheGrace) {
  watch(one_, 1h);
  dog_.watch_closely(other_);
  dog_.drain(300ms);
  EXPECT_EQ(one_.drained, 1);
  EXPECT_EQ(other_.drained, 1);
  EXPECT_EQ(one_.expired, 0);
  run_until_expired(one_);
  EXPECT_GE(one_.expired, 1);
  EXPECT_GE(other_.expired, 1);
  Wait late;
  dog_.watch(late);
  EXPECT_EQ(late.drained, 1);
}

TEST_F(WatchdogTest, NothingToWatchLetsTheProgramEnd) {
  {
    Wait brief;
    watch(brief, 1h);
  }
  io_.run();           // returns
  watch(one_, 100ms);  // after a rest
  io_.restart();
  run_until_expired(one_);
  EXPECT_EQ(one_.expired, 1);
}

}  // namespace
}  // namespace relay::net
