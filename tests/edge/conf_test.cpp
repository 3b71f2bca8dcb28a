#include "tests/support/conf_check.hpp"

#include <gtest/gtest.h>

#include "edge/settings.hpp"

namespace relay::edge {
namespace {

TEST(Conf, ShowsEveryKeyWithItsDefaultAndComment) {
  tests::expect_conf_matches<Settings>(RELAY_SOURCE_DIR "/conf/edge.toml", describe,
                                       {"upstream", "fleet.members"});
}

}  // namespace
}  // namespace relay::edge
