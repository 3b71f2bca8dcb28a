#include "origin/live/ingest.hpp"

#include <gtest/gtest.h>

namespace relay::origin::live {
namespace {

TEST(LiveIngest, ReadsWhatAPartIsByItsTarget) {
  auto read = read_part_target("v720/12.3.m4s?ticks=46080&independent=1&last=0");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->rendition, "v720");
  EXPECT_EQ(read->segment, 12);
  EXPECT_EQ(read->part, 3);
  EXPECT_EQ(read->ticks, 46080);
  EXPECT_TRUE(read->independent);
  EXPECT_FALSE(read->last);
  for (const char* target :
       {"v720/12.3.m4s", "v720/12.m4s?ticks=1", "v720/12.3.m4s?ticks=0", "12.3.m4s?ticks=1",
        "v720/12.3.m4s?ticks=1&last=2", "v720/../12.3.m4s?ticks=1", "v720/12.3.m4s?ticks=1&x=1"})
    EXPECT_FALSE(read_part_target(target)) << target;
}

}  // namespace
}  // namespace relay::origin::live
