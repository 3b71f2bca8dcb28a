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
    const char* files;
    LastStop expected;
  };
  constexpr LastStop discard{Trust::discard, 0}, verify{Trust::verify, 0};
  for (const Case& c :
       {Case{"clean b1 0 f1\n", "b1", "f1", {Trust::good, 0}},
        Case{"clean b1 42 f1\n", "b1", "f1", {Trust::good, 42}},
        Case{"clean b1 42 f1\n", "b2", "f1", verify}, Case{"clean b1 42 f1\n", "b1", "f2", verify},
        Case{"clean b1 42\n", "b1", "", verify}, Case{"clean - 0 f1\n", "", "f1", verify},
        Case{"running b1\n", "b1", "f1", verify}, Case{"running b1\n", "b2", "f1", discard},
        Case{"running \n", "", "f1", discard}, Case{"", "b1", "f1", discard},
        Case{"clean b1\n", "b1", "f1", discard}, Case{"clean b1 x f1\n", "b1", "f1", discard},
        Case{"clean b1 4x f1\n", "b1", "f1", discard}, Case{"gibberish\n", "b1", "f1", discard}}) {
    EXPECT_EQ(judge(c.marker, c.boot, c.files), c.expected) << c.marker << " " << c.boot;
  }
}

TEST(StopMarker, WritesWhatItJudges) {
  EXPECT_EQ(judge(running_marker("b1"), "b1", "f1").trust, Trust::verify);
  EXPECT_EQ(judge(clean_marker("b1", 9, "f1"), "b1", "f1"), (LastStop{Trust::good, 9}));
  EXPECT_EQ(judge(clean_marker("", 9, "f1"), "", "f1").trust, Trust::verify);
}

TEST(StopMarker, FilesThatSomebodyTouchedAreOthers) {
  tests::TemporaryFolder folder;
  auto data = folder / "medium" / "data.mdb";
  std::string none = files_word(folder.path());
  ASSERT_TRUE(store::write_atomically(data, "bytes"));
  std::string before = files_word(folder.path());
  EXPECT_NE(before, none);
  EXPECT_EQ(before, files_word(folder.path()));
  auto written = std::filesystem::last_write_time(data);
  ASSERT_TRUE(store::write_all_at(store::open_write(data)->get(), "bites", 0));
  std::filesystem::last_write_time(data, written);
  EXPECT_NE(files_word(folder.path()), before) << "though it looks as old as it was";
}

TEST(StopMarker, OneThatCannotBeReadIsAnErrorNotACrash) {
  tests::TemporaryFolder folder;
  EXPECT_EQ(read_marker(folder.path())->trust, Trust::discard) << "there is none";
  ASSERT_TRUE(mark_running(folder.path()));
  EXPECT_EQ(read_marker(folder.path())->trust, Trust::verify);
  std::filesystem::remove(marker_path(folder.path()));
  std::filesystem::create_directory(marker_path(folder.path()));  // opens, and gives no bytes
  auto marker = read_marker(folder.path());
  ASSERT_FALSE(marker);
  EXPECT_NE(marker.error().kind, ErrorKind::corrupt);
}

}  // namespace
}  // namespace relay::edge::cache
