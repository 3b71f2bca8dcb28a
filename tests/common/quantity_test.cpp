#include "common/base/quantity.hpp"

#include <gtest/gtest.h>

namespace relay {
namespace {

using std::chrono::milliseconds;

TEST(Quantity, ReadsBytes) {
  EXPECT_EQ(bytes_from_text("0B"), 0);
  EXPECT_EQ(bytes_from_text("512KiB"), 524'288);
  EXPECT_EQ(bytes_from_text("2GiB"), 2'147'483'648);
  EXPECT_EQ(bytes_from_text("10GB"), 10'000'000'000);
  EXPECT_EQ(bytes_from_text("8388607TiB"), 8'388'607 * (1ll << 40));
  for (std::string_view wrong : {"", "12", "GiB", "-1B", "+1B", "1.5GiB", "2 GiB", "2gib", "2GiBs",
                                 "8388608TiB", "99999999999999999999B"}) {
    EXPECT_EQ(bytes_from_text(wrong), std::nullopt) << wrong;
  }
}

TEST(Quantity, ReadsDurations) {
  EXPECT_EQ(duration_from_text("250ms"), milliseconds(250));
  EXPECT_EQ(duration_from_text("10s"), milliseconds(10'000));
  EXPECT_EQ(duration_from_text("5m"), milliseconds(300'000));
  EXPECT_EQ(duration_from_text("2h"), milliseconds(7'200'000));
  EXPECT_EQ(duration_from_text("1d"), milliseconds(86'400'000));
  for (std::string_view wrong :
       {"", "10", "s", "-1s", "1.5s", "10 s", "1us", "999999999999999999h"}) {
    EXPECT_EQ(duration_from_text(wrong), std::nullopt) << wrong;
  }
}

TEST(Quantity, WritesTheLargestExactUnit) {
  EXPECT_EQ(bytes_to_text(2'147'483'648), "2GiB");
  EXPECT_EQ(bytes_to_text(5'000'000'000), "5GB");
  EXPECT_EQ(bytes_to_text(1001), "1001B");
  EXPECT_EQ(bytes_to_text(0), "0B");
  EXPECT_EQ(duration_to_text(milliseconds(90'000)), "90s");
  EXPECT_EQ(duration_to_text(milliseconds(3'600'000)), "1h");
  EXPECT_EQ(duration_to_text(milliseconds(0)), "0ms");
}

}  // namespace
}  // namespace relay
