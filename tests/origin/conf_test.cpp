#include "tests/support/conf_check.hpp"

#include <gtest/gtest.h>

#include "origin/settings.hpp"

namespace relay::origin {
namespace {

TEST(Conf, ShowsEveryKeyWithItsDefaultAndComment) {
  tests::expect_conf_matches<Settings>(RELAY_SOURCE_DIR "/conf/origin.toml", describe);
}

}  // namespace
}  // namespace relay::origin
