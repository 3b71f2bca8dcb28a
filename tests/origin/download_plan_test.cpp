// One MP4 out of segments: tables, offsets, edits and byte ranges, over files made here.
#include "origin/download/plan.hpp"

#include <gtest/gtest.h>

#include "origin/download/box.hpp"

namespace relay::origin::download {
namespace {

struct Made {
  std::uint32_t bytes, duration;
  std::int32_t composition;
  bool sync;
};

std::string init(std::string_view kind, std::uint32_t timescale, std::string_view entry) {
  std::string out;
  BoxWriter write(out);
  auto moov = write.begin("moov");
  auto trak = write.begin("trak");
  {
    auto tkhd = write.begin_full("tkhd", 0, 3);
    write.zeros(20 + 60);
  }
  auto mdia = write.begin("mdia");
  {
    auto mdhd = write.begin_full("mdhd", 0, 0);
    write.zeros(8);
    write.u32(timescale);
    write.zeros(8);
  }
  {
    auto hdlr = write.begin_full("hdlr", 0, 0);
    write.bytes(kind);
  }
  auto minf = write.begin("minf");
  {
    auto dinf = write.begin("dinf");
  }
  auto stbl = write.begin("stbl");
  auto stsd = write.begin_full("stsd", 0, 0);
  write.u32(1);
  auto sample_entry = write.begin(entry);
  write.zeros(8);
  return out;
}

/// Flags in the way of the packager: durations and compositions only where they vary.
std::string moof(std::uint64_t decode_time, const std::vector<Made>& samples) {
  std::string out;
  BoxWriter write(out);
  auto box = write.begin("moof");
  {
    auto mfhd = write.begin_full("mfhd", 0, 0);
    write.u32(1);
  }
  auto traf = write.begin("traf");
  {
    auto tfhd = write.begin_full("tfhd", 0, 0x020008);
    write.u32(1);
    write.u32(samples.front().duration);
  }
  {
    auto tfdt = write.begin_full("tfdt", 1, 0);
    write.u64(decode_time);
  }
  auto trun = write.begin_full("trun", 1, 0x000e01);
  write.u32(static_cast<std::uint32_t>(samples.size()));
  write.u32(0);
  for (const Made& each : samples) {
    write.u32(each.bytes);
    write.u32(each.sync ? 0x02000000 : 0x01010000);
    write.u32(static_cast<std::uint32_t>(each.composition));
  }
  return out;
}

/// A world of files: segments of one or more fragments, whose bytes say where they are from.
struct World {
  std::vector<std::string> files;

  void add(Track& track, std::vector<std::pair<std::uint64_t, std::vector<Made>>> fragments) {
    std::string file;
    for (auto& [time, samples] : fragments) {
      std::string head = moof(time, samples);
      auto fragment = read_fragment(head);
      ASSERT_TRUE(fragment) << fragment.error().message;
      fragment->data_offset = head.size() + box_head_bytes;
      track.chunks.push_back({files.size(), file.size(), track.inits.size() - 1, *fragment});
      file += head + "....mdat";
      for (const Made& sample : samples)
        for (std::uint32_t i = 0; i < sample.bytes; ++i)
          file += static_cast<char>('a' + (files.size() * 7 + file.size()) % 26);
    }
    files.push_back(std::move(file));
  }
  std::string read(const Slice& slice) const {
    std::string bytes(slice.head);
    for (const Piece& piece : slice.pieces)
      bytes += files.at(piece.file).substr(piece.offset, piece.length);
    return bytes;
  }
};

constexpr Made key{30, 40, 40, true}, other{10, 40, 40, false};
constexpr Made ahead{10, 40, 80, false},
    between{10, 40, 0, false};  // P before the B that it follows
constexpr Made frame{5, 1024, 0, true};

struct TwoTracks : World {
  TwoTracks() {
    tracks[0].inits = {init("vide", 1000, "avc1")};
    add(tracks[0], {{10'000, {key, ahead, between}}, {10'120, {key, other}}});
    add(tracks[0], {{10'200, {key, other}}});
    tracks[1].inits = {init("soun", 48'000, "mp4a")};
    add(tracks[1], {{481'000, {frame, frame, frame, frame}}});
    add(tracks[1], {{485'096, {frame, frame}}});
  }
  std::vector<Track> tracks{2};
};

std::vector<std::uint32_t> words(std::string_view payload) {
  std::vector<std::uint32_t> found;
  Fields fields(payload);
  while (fields.left() >= 4) found.push_back(fields.u32());
  return found;
}

std::vector<std::string_view> traks(const std::string& head) {
  std::vector<std::string_view> found;
  for (const Box& box : boxes_in(find_box(head, "moov")->payload))
    if (box.type == "trak") found.push_back(box.payload);
  return found;
}

constexpr const char* stbl = "mdia/minf/stbl/";
std::vector<std::uint32_t> table(std::string_view trak, const std::string& type) {
  auto box = find_box(trak, stbl + type);
  return box ? words(box->payload) : std::vector<std::uint32_t>();
}

using Words = std::vector<std::uint32_t>;

TEST(DownloadPlan, TheTablesAreThoseOfTheFragments) {
  TwoTracks world;
  auto plan = plan_file(world.tracks);
  ASSERT_TRUE(plan) << plan.error().message;
  auto of = traks(plan->head);
  ASSERT_EQ(of.size(), 2u);
  EXPECT_EQ(table(of[0], "stsz"), (Words{0, 0, 7, 30, 10, 10, 30, 10, 30, 10}));
  EXPECT_EQ(table(of[0], "stts"), (Words{0, 1, 7, 40}));
  EXPECT_EQ(table(of[0], "ctts"), (Words{1u << 24, 4, 1, 40, 1, 80, 1, 0, 4, 40}));
  EXPECT_EQ(table(of[0], "stss"), (Words{0, 3, 1, 4, 6}));
  EXPECT_EQ(table(of[0], "stsc"), (Words{0, 2, 1, 3, 1, 2, 2, 1}));
  EXPECT_EQ(table(of[1], "stss"), Words{}) << "all are";
  EXPECT_EQ(table(of[1], "ctts"), Words{});
}

TEST(DownloadPlan, EveryOffsetLeadsToItsChunk) {
  TwoTracks world;
  auto plan = plan_file(world.tracks);
  ASSERT_TRUE(plan);
  std::string whole = world.read(slice_of(*plan, 0, plan->length));
  ASSERT_EQ(whole.size(), plan->length);
  auto of = traks(plan->head);
  for (std::size_t i = 0; i < 2; ++i) {
    Words offsets = table(of[i], "co64");
    ASSERT_EQ(offsets[1], world.tracks[i].chunks.size());
    for (std::size_t n = 0; n < world.tracks[i].chunks.size(); ++n) {
      const Chunk& chunk = world.tracks[i].chunks[n];
      std::string there = world.files[chunk.file].substr(chunk.offset + chunk.fragment.data_offset,
                                                         chunk.fragment.bytes());
      EXPECT_EQ(whole.substr(offsets[3 + 2 * n], there.size()), there) << i << " " << n;
    }
  }
  Words mdat = words(std::string_view(plan->head).substr(plan->head.size() - 16));
  EXPECT_EQ(mdat[0], 1u);
  EXPECT_EQ(mdat[3], plan->length - plan->head.size() + 16);
}

TEST(DownloadPlan, ChunksStandInTheOrderOfTheirTimes) {
  TwoTracks world;
  auto plan = plan_file(world.tracks);
  ASSERT_TRUE(plan);
  std::vector<std::size_t> files;
  for (const Piece& piece : plan->pieces) files.push_back(piece.file);
  EXPECT_EQ(files, (std::vector<std::size_t>{0, 2, 3, 0, 1}));
}

TEST(DownloadPlan, EveryRangeIsAPartOfTheWhole) {
  TwoTracks world;
  auto plan = plan_file(world.tracks);
  ASSERT_TRUE(plan);
  std::string whole = world.read(slice_of(*plan, 0, plan->length));
  std::uint64_t from = plan->head.size() - 3;
  for (std::uint64_t first = from; first <= plan->length; ++first)
    for (std::uint64_t length = 0; length <= plan->length - first; ++length)
      ASSERT_EQ(world.read(slice_of(*plan, first, length)), whole.substr(first, length))
          << first << " " << length;
}

TEST(DownloadPlan, TheSoundIsCutWhereThePictureBegins) {
  TwoTracks world;  // the picture is shown from 10.040 s on, the sound begins at 10.0208 s
  auto plan = plan_file(world.tracks);
  ASSERT_TRUE(plan);
  auto of = traks(plan->head);
  auto elst = [&](std::size_t i) { return words(find_box(of[i], "edts/elst")->payload); };
  EXPECT_EQ(elst(0), (Words{1u << 24, 1, 0, 280'000, 0, 40, 1u << 16}));
  EXPECT_EQ(elst(1)[5], 920u) << "19.2 ms of 48 kHz are left out";
  world.tracks[1].chunks.erase(world.tracks[1].chunks.begin());
  plan = plan_file(world.tracks);
  ASSERT_TRUE(plan);
  of = traks(plan->head);
  EXPECT_EQ(elst(1)[1], 2u) << "now it begins later and waits";
  EXPECT_EQ(elst(1)[3], 66'167u);
  EXPECT_EQ(elst(1)[4], ~0u);
}

TEST(DownloadPlan, OnlyWhatIsWantedIsShownAndOnlyWhatIsNeededIsThere) {
  TwoTracks world;  // shown: 10.080 s to 10.140 s
  auto plan = plan_file(world.tracks, {.skip_us = 40'000, .us = 60'000});
  ASSERT_TRUE(plan);
  auto of = traks(plan->head);
  auto elst = [&](std::size_t i) { return words(find_box(of[i], "edts/elst")->payload); };
  EXPECT_EQ(elst(0), (Words{1u << 24, 1, 0, 60'000, 0, 80, 1u << 16}));
  EXPECT_EQ(table(of[0], "stsz"), (Words{0, 0, 3, 30, 10, 10})) << "from its key picture on";
  EXPECT_EQ(elst(1), (Words{1u << 24, 1, 0, 60'000, 0, 792, 1u << 16}));
  EXPECT_EQ(table(of[1], "stsz")[2], 4u);
  EXPECT_EQ(table(of[1], "stsc"), (Words{0, 1, 1, 2, 1})) << "two of either chunk";
  std::string whole = world.read(slice_of(*plan, 0, plan->length));
  const Chunk& chunk = world.tracks[1].chunks[0];
  EXPECT_EQ(whole.substr(table(of[1], "co64")[3], 10),
            world.files[chunk.file].substr(chunk.offset + chunk.fragment.data_offset + 10, 10));
  EXPECT_FALSE(plan_file(world.tracks, {.skip_us = 0, .us = 0})) << "nothing of the picture";
}

TEST(DownloadPlan, AHoleLengthensTheSampleBeforeIt) {
  TwoTracks world;
  world.tracks[0].chunks.erase(world.tracks[0].chunks.begin() + 1);
  auto plan = plan_file(world.tracks);
  ASSERT_TRUE(plan);
  EXPECT_EQ(table(traks(plan->head)[0], "stts"), (Words{0, 3, 2, 40, 1, 120, 2, 40}));
}

TEST(DownloadPlan, AnotherInitIsAnotherDescription) {
  TwoTracks world;
  Track& picture = world.tracks[0];
  picture.inits.push_back(init("vide", 1000, "hvc1"));
  picture.inits.push_back(picture.inits[0]);
  picture.chunks[1].init = 1;
  picture.chunks[2].init = 2;
  auto plan = plan_file(world.tracks);
  ASSERT_TRUE(plan);
  auto of = traks(plan->head);
  EXPECT_EQ(table(of[0], "stsd")[1], 2u);
  EXPECT_EQ(table(of[0], "stsc"), (Words{0, 3, 1, 3, 1, 2, 2, 2, 3, 2, 1}));
}

TEST(DownloadPlan, WhatIsBrokenIsRefused) {
  EXPECT_FALSE(plan_file({}));
  TwoTracks world;
  std::string whole = moof(0, {key, other});
  for (std::size_t n = 0; n < whole.size(); n += 5)
    EXPECT_FALSE(read_fragment(std::string_view(whole).substr(0, n))) << n;
  world.tracks[1].chunks.clear();
  EXPECT_EQ(traks(plan_file(world.tracks)->head).size(), 1u) << "silent";
  world.tracks[0].chunks.clear();
  EXPECT_FALSE(plan_file(world.tracks));
  TwoTracks other_world;
  other_world.tracks[0].inits[0].resize(60);
  auto plan = plan_file(other_world.tracks);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().kind, ErrorKind::corrupt);
}

}  // namespace
}  // namespace relay::origin::download
