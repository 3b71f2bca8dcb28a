// HTTP dates: three forms in, one out.
#include "common/http/date.hpp"

#include <gtest/gtest.h>

namespace relay::http {
namespace {

DateTime at(std::int64_t seconds) {
  return DateTime(Seconds(seconds));
}

TEST(ReadDate, Accepted) {
  struct {
    const char* text;
    std::int64_t seconds;
  } const cases[] = {
      {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
      {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
      {"Sun Nov  6 08:49:37 1994", 784111777},
      {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
      {"Wed, 31 Dec 1969 23:59:59 GMT", -1},
      {"Thu, 29 Feb 2024 12:00:00 GMT", 1709208000},
      {"Tue, 19 Jan 2038 14:14:08 GMT", 2147523248},
      {"Sun, 21 Nov 2286 04:46:39 GMT", 10000039599},
      {"Thursday, 18-Aug-50 02:01:18 GMT", 2544400878},
      {"Friday, 01-Jan-71 00:00:00 GMT", 31536000},
      {"Thu Aug 18 02:01:18 2050", 2544400878},
      {"THU, 18 Aug 2050 02:01:18 GMT", 2544400878},
      {"Thu, 18 AUG 2050 02:01:18 gMT", 2544400878},
      {"Mon, 18 Aug 2050 02:01:18 GMT", 2544400878},  // it is a Thursday
  };
  for (const auto& c : cases) EXPECT_EQ(read_date(c.text), at(c.seconds)) << c.text;
}

TEST(ReadDate, Refused) {
  for (const char* text : {"",
                           "0",
                           "-1",
                           "Thu, 18 Aug 2050 02:01:18 UTC",
                           "Thu, 18 Aug 2050 02:01:18 AEST",
                           "Thu, 18 Aug 2050 02:01:18 +0000",
                           "Thu, 18 Aug 2050 02:01:18",
                           "Thu, 18 Aug 50 02:01:18 GMT",
                           "Thu 18 Aug 2050 02:01:18 GMT",
                           "Thu, 18  Aug  2050 02:01:18 GMT",
                           "Thu, 18-Aug-2050 02:01:18 GMT",
                           "Thu, 18 Aug 2050 02.01.18 GMT",
                           "Thu, 18 Aug 2050 2:01:18 GMT",
                           "Thu, 18 Aug 2050 02:01:18 GMT ",
                           "Thu, 18 Aug 2050 02:01:18 GMT, Thu, 18 Aug 2050 02:01:18 GMT",
                           "Thu, 8 Aug 2050 02:01:18 GMT",
                           "Thu, 31 Jun 2050 02:01:18 GMT",
                           "Thu, 29 Feb 2023 02:01:18 GMT",
                           "Thu, 00 Jan 2050 02:01:18 GMT",
                           "Thu, 18 Aug 2050 24:00:00 GMT",
                           "Thu, 18 Aug 2050 02:60:00 GMT",
                           "Thu, 18 Aug 2050 02:00:61 GMT",
                           "Xyz, 18 Aug 2050 02:01:18 GMT",
                           "Thu, 18 Xyz 2050 02:01:18 GMT",
                           "Thursday, 18-Aug-2050 02:01:18 GMT",
                           "Thu Aug 18 02:01:18 2050 GMT",
                           "Thu Aug 8 02:01:18 2050",
                           "2050-08-18T02:01:18.0000Z"}) {
    EXPECT_EQ(read_date(text), std::nullopt) << text;
  }
}

TEST(WriteDate, ReadsBack) {
  EXPECT_EQ(write_date(at(784111777)), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(write_date(at(-1)), "Wed, 31 Dec 1969 23:59:59 GMT");
  for (std::int64_t seconds = -86400LL * 800; seconds < 5'000'000'000; seconds += 86'400 * 13 + 7) {
    EXPECT_EQ(read_date(write_date(at(seconds))), at(seconds)) << seconds;
  }
}

}  // namespace
}  // namespace relay::http
