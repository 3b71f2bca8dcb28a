#include "common/media/date.hpp"

#include <gtest/gtest.h>

namespace relay::media {
namespace {

constexpr std::int64_t moment = 1'764'211'831'480'000;

TEST(MediaDate, IsReadAsItIsWritten) {
  EXPECT_EQ(date_text(moment), "2025-11-27T02:50:31.480Z");
  EXPECT_EQ(read_date("2025-11-27T02:50:31.480Z"), moment);
  EXPECT_EQ(date_text(0), "1970-01-01T00:00:00.000Z");
}

TEST(MediaDate, TakesEveryFormOfTheStandard) {
  EXPECT_EQ(read_date("2025-11-27T02:50:31.48Z"), moment);
  EXPECT_EQ(read_date("2025-11-27T05:20:31.480000999+02:30"), moment);
  EXPECT_EQ(read_date("2025-11-26 21:50:31.48-05:00"), moment);
  EXPECT_EQ(read_date("2025-11-27t02:50:31z"), moment - 480'000);
  EXPECT_EQ(read_date("2016-12-31T23:59:60Z"), read_date("2016-12-31T23:59:59Z")) << "leap second";
}

TEST(MediaDate, RefusesWhatIsNone) {
  for (const char* text : {"", "noon", "2025-11-27", "2025-11-27T02:50:31", "2025-11-27T02:50Z",
                           "2025-13-01T00:00:00Z", "2025-02-29T00:00:00Z", "2025-11-27T24:00:00Z",
                           "2025-11-27T02:60:00Z", "2025-11-27T02:50:31.Z", "2025-11-27T02:50:31Zx",
                           "2025-11-27T02:50:31+2:00", "1969-12-31T23:59:59Z", "25-11-27T02:50:31Z",
                           "2025-11-27T02:50:31.48 Z"}) {
    EXPECT_EQ(read_date(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace relay::media
