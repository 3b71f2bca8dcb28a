// When the pages of a removed body are free, by the clock and by the pins; and the byte budget
// that counts them until then.
#include "edge/cache/graveyard.hpp"

#include <gtest/gtest.h>

#include "edge/cache/budget.hpp"

namespace relay::edge::cache {
namespace {

using namespace std::chrono_literals;

const SteadyTime start{std::chrono::hours(100)};

std::shared_ptr<Body> body_sent_at(SteadyTime sent) {
  auto body = std::make_shared<Body>();
  body->last_sendfile = sent.time_since_epoch().count();
  return body;
}

std::size_t released(Graveyard& graveyard, SteadyTime now) {
  return graveyard.release(now).size();
}

TEST(Graveyard, ANeverSentBodyIsFreeAtOnce) {
  Graveyard graveyard;
  graveyard.bury(std::make_shared<Body>(), start);
  EXPECT_EQ(released(graveyard, start), 1u);
  EXPECT_EQ(graveyard.size(), 0u);
}

TEST(Graveyard, APinHoldsForAnyTime) {
  Graveyard graveyard;
  auto body = std::make_shared<Body>();
  std::shared_ptr<const Body> pin = body;
  graveyard.bury(std::move(body), start);
  EXPECT_EQ(released(graveyard, start + 10h), 0u);
  pin.reset();
  EXPECT_EQ(released(graveyard, start + 10h), 1u);
}

TEST(Graveyard, ASentBodyWaitsForItsSockets) {
  Graveyard graveyard;
  graveyard.bury(body_sent_at(start), start + 20s);
  EXPECT_EQ(released(graveyard, start + 34s), 0u);
  EXPECT_EQ(released(graveyard, start + 35s), 1u);
}

TEST(Graveyard, ALongSendCountsFromTheReleaseOfItsPin) {
  Graveyard graveyard;
  auto body = body_sent_at(start);
  std::shared_ptr<const Body> pin = body;
  graveyard.bury(std::move(body), start + 1h);
  EXPECT_EQ(released(graveyard, start + 2h), 0u);
  pin.reset();
  EXPECT_EQ(released(graveyard, start + 2h + 34s), 0u);
  EXPECT_EQ(released(graveyard, start + 2h + 35s), 1u);
}

TEST(Graveyard, TheGraceIsLongerThanASocketMayHoldData) {
  EXPECT_GE(Graveyard::grace, limits::tcp_user_timeout + 5s);
}

constexpr auto small = ShelfName::small;
constexpr auto large = ShelfName::large;

TEST(Budget, BuriedBytesStillCount) {
  Budget budget(1000);
  budget.store(large, 900);
  EXPECT_TRUE(budget.fits(large, 100));
  EXPECT_FALSE(budget.fits(large, 101));
  budget.bury(large, 200);
  EXPECT_FALSE(budget.fits(large, 101));
  EXPECT_EQ(budget.live(), 700u);
  EXPECT_EQ(budget.buried(), 200u);
  budget.free(large, 200);
  EXPECT_TRUE(budget.fits(large, 300));
  budget.unfree(large, 200);
  EXPECT_FALSE(budget.fits(large, 300));
}

TEST(Budget, SmallBodiesTakeAQuarterAtMost) {
  Budget budget(1000);
  budget.store(small, 200);
  EXPECT_TRUE(budget.fits(small, 50));
  EXPECT_FALSE(budget.fits(small, 51));
  EXPECT_TRUE(budget.fits(large, 800));
}

TEST(Budget, WhoMakesRoom) {
  Budget budget(1000);
  budget.store(small, 240);
  budget.store(large, 760);
  EXPECT_EQ(budget.victim_shelf(small, 50), small);
  EXPECT_EQ(budget.victim_shelf(small, 10), std::nullopt);  // whoever is worth the least
  EXPECT_EQ(budget.victim_shelf(large, 10), std::nullopt);
}

TEST(Budget, TheGraveyardIsBounded) {
  Budget budget(1000);
  budget.store(large, 1000);
  budget.bury(large, 250);
  EXPECT_FALSE(budget.graveyard_full());
  budget.bury(large, 1);
  EXPECT_TRUE(budget.graveyard_full());
}

}  // namespace
}  // namespace relay::edge::cache
