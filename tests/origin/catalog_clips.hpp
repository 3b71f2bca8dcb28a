// A catalog with a channel of five segments, for tests of its clips.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/media/live.hpp"
#include "origin/catalog.hpp"
#include "tests/support/temporary_folder.hpp"

namespace relay::origin {

class CatalogClipTest : public testing::Test {
 protected:
  CatalogClipTest() {
    reopen();
    channel.record.job.kind = media::JobKind::live;
    channel.record.job.tenant = "demo";
    channel.record.job.asset = "final";
    channel.record.job.version = "v1";
    channel.record.job.live.emplace();
    EXPECT_TRUE(catalog->open_channel(channel));
    for (std::int64_t number : {1, 2, 3, 4, 5}) add(number);
  }
  void reopen() {
    catalog.reset();
    catalog = std::move(*Catalog::open(folder / "catalog"));
  }
  const media::Job& job() const { return channel.record.job; }
  void add(std::int64_t number) {
    live::Segment segment{.number = number, .parts = {{.bytes = 10, .ticks = 5}}};
    ASSERT_TRUE(catalog->add_segment(job(), "v360", segment, {10, {1, 2}, {}}));
  }
  NewClip clip(std::string name, std::string version, std::int64_t first, std::int64_t last) {
    NewClip made{.tenant = "demo",
                 .asset = std::move(name),
                 .version = std::move(version),
                 .facts = {"final", "v1", 0, 4'000'000, 0, {}},
                 .playlists = {{"", "the renditions"}, {"v360", "the segments"}},
                 .renditions = {{.name = "v360"}},
                 .holds = {{"final", "v1", {{"v360", first, last}}}}};
    for (std::int64_t number = first; number <= last; ++number)
      made.objects.push_back({"final", "v1", media::segment_object("v360", number)});
    return made;
  }
  bool is_there(std::int64_t number) {
    return catalog->object("demo", "final", "v1", media::segment_object("v360", number))
        ->has_value();
  }
  using Numbers = std::vector<std::int64_t>;

  tests::TemporaryFolder folder;
  std::unique_ptr<Catalog> catalog;
  NewChannel channel;
};

}  // namespace relay::origin
