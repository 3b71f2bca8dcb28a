#include "tests/support/conf_check.hpp"

#include <gtest/gtest.h>

#include "transcoder/settings.hpp"

namespace relay::transcoder {
namespace {

TEST(Conf, ShowsEveryKeyWithItsDefaultAndComment) {
  tests::expect_conf_matches<Settings>(RELAY_SOURCE_DIR "/conf/transcoder.toml", describe);
}

}  // namespace
}  // namespace relay::transcoder
