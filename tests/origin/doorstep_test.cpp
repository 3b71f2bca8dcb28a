#include "origin/live/doorstep.hpp"

#include <gtest/gtest.h>

namespace relay::origin::live {
namespace {

TEST(Doorstep, EachPeerHasItsOwnPlacesAndGetsThemBack) {
  auto doorstep = std::make_shared<Doorstep>(2);
  auto first = Doorstep::enter(doorstep, "10.0.0.1");
  auto second = Doorstep::enter(doorstep, "10.0.0.1");
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(Doorstep::enter(doorstep, "10.0.0.1"));
  EXPECT_TRUE(Doorstep::enter(doorstep, "10.0.0.2"));
  first.reset();
  auto third = Doorstep::enter(doorstep, "10.0.0.1");
  EXPECT_TRUE(third);
  EXPECT_FALSE(Doorstep::enter(doorstep, "10.0.0.1"));
}

}  // namespace
}  // namespace relay::origin::live
