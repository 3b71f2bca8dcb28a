// What is believed after which stop.
#include "edge/cache/stop_marker.hpp"

#include <gtest/gtest.h>

#include "common/store/file.hpp"
#include "tests/support/temporary_folder.hpp"

namespace relay::edge::cache {
namespace {

TEST(StopMarker, Judge) {
  struct Case {
    const char* marker;
    const char* boot;
    LastStop expected;
  };
  constexpr LastStop discard{Trust::discard, 0}, verify{Trust::verify, 0};
  for (const Case& c : {Case{"clean b1 0\n", "b1", {Trust::good, 0}},
                        Case{"clean b1 42\n", "b1", {Trust::good, 42}},
                        Case{"clean b1 42\n", "b2", verify}, Case{"clean - 0\n", "", verify},
                        Case{"running b1\n", "b1", verify}, Case{"running b1\n", "b2", discard},
                        Case{"running \n", "", discard}, Case{"", "b1", discard},
                        Case{"clean b1\n", "b1", discard}, Case{"clean b1 x\n", "b1", discard},
                        Case{"clean b1 4x\n", "b1", discard}, Case{"gibberish\n", "b1", discard}}) {
    EXPECT_EQ(judge(c.marker, c.boot), c.expected) << c.marker << " " << c.boot;
  }
}

TEST(StopMarker, WritesWhatItJudges) {
  EXPECT_EQ(judge(running_marker("b1"), "b1").trust, Trust::verify);
  EXPECT_EQ(judge(clean_marker("b1", 9), "b1"), (LastStop{Trust::good, 9}));
  EXPECT_EQ(judge(clean_marker("", 9), "").trust, Trust::verify);
}

}  // namespace
}  // namespace relay::edge::cache
