#include "origin/records.hpp"

#include <gtest/gtest.h>

namespace relay::origin {
namespace {

TEST(Records, KeysOfOneVersionAreNeighbours) {
  EXPECT_EQ(asset_key("t", "a"), "t/a");
  EXPECT_EQ(version_key("t", "a", "v"), "t/a/v");
  EXPECT_EQ(object_key("t", "a", "v", "v720/3.m4s"), "t/a/v/v720/3.m4s");
  EXPECT_EQ(object_key("t", "a", "v", ""), "t/a/v/");
}

TEST(Records, SequenceKeysSortAsNumbers) {
  EXPECT_LT(sequence_key(255), sequence_key(256));
  EXPECT_EQ(sequence_of(sequence_key(0x0123456789abcdef)), 0x0123456789abcdefu);
}

TEST(Records, ComeBackAsTheyWere) {
  WallTime time(std::chrono::milliseconds(1792810231007));
  auto object = object_from_bytes(to_bytes(ObjectRecord{1ull << 40, {3, 4}, time}));
  EXPECT_EQ(object->bytes, 1ull << 40);
  EXPECT_EQ(object->digest, (Digest128{3, 4}));
  EXPECT_EQ(object->modified, time);
  EXPECT_TRUE(object->keys.empty());
  std::vector<media::KeyPicture> keys = {{24, 1ull << 33, 0}, {1ull << 34, 7, 2'000'000}};
  EXPECT_EQ(object_from_bytes(to_bytes(ObjectRecord{1ull << 40, {3, 4}, time, keys}))->keys, keys);
  auto playlist = playlist_from_bytes(to_bytes(PlaylistRecord{"#EXTM3U\n", time, true}));
  EXPECT_EQ(playlist->text, "#EXTM3U\n");
  EXPECT_EQ(playlist->modified, time);
  EXPECT_TRUE(playlist->ended);
  auto version = version_from_bytes(to_bytes(VersionRecord{VersionState::failed, 7}));
  EXPECT_EQ(version->state, VersionState::failed);
  EXPECT_EQ(version->source_bytes, 7u);
  VersionRecord ready{VersionState::ready, 7, "ab12", {.ready = true, .duration_ms = 9}};
  version = version_from_bytes(to_bytes(ready));
  ASSERT_TRUE(version) << version.error().message;
  EXPECT_EQ(version->source_sha256, "ab12");
  EXPECT_EQ(version->result.duration_ms, 9);
  EXPECT_TRUE(version_from_bytes(to_bytes(VersionRecord{VersionState::ready, 0}))) << "a clip's";
  std::string earlier = to_bytes(VersionRecord{VersionState::ready, 7}).substr(0, 10);
  version = version_from_bytes(earlier);
  ASSERT_TRUE(version) << "an earlier release kept the state and the bytes only";
  EXPECT_EQ(version->source_bytes, 7u);
}

TEST(Records, AChannelComesBackWithItsRulesAndOneOfBeforeThereWereAny) {
  live::ChannelRecord record;
  record.job.kind = media::JobKind::live;
  record.job.tenant = "t";
  record.job.asset = "a";
  record.job.version = "v";
  record.job.live.emplace();
  record.job.live->channel.rungs_max = 2;
  record.key_sha256 = "ab12";
  record.rules = {std::chrono::minutes(30), 1 << 30, live::BusySlot::replace};
  auto read = channel_from_bytes(to_bytes(record));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->key_sha256, "ab12");
  EXPECT_EQ(read->job.live->channel.rungs_max, 2);
  EXPECT_EQ(read->rules.dvr, std::chrono::minutes(30));
  EXPECT_EQ(read->rules.dvr_size_max, 1ull << 30);
  EXPECT_EQ(read->rules.busy_slot, live::BusySlot::replace);
  auto old = channel_from_bytes(
      "\x01"
      "ab12\n" +
      media::to_json(record.job));
  ASSERT_TRUE(old) << old.error().message;
  EXPECT_EQ(old->job.tenant, "t");
  EXPECT_FALSE(old->rules.dvr || old->rules.dvr_size_max || old->rules.busy_slot);
  EXPECT_FALSE(
      channel_from_bytes("\x01"
                         "ab12\n[]\n" +
                         media::to_json(record.job)));
}

TEST(Records, ShortOrForeignBytesAreCorrupt) {
  std::string whole = to_bytes(ObjectRecord{});
  EXPECT_FALSE(object_from_bytes(whole + "half a key picture"));
  std::string foreign = whole;
  foreign[0] = 2;
  for (const std::string& bytes : {std::string(), whole.substr(0, whole.size() - 1), foreign}) {
    EXPECT_EQ(object_from_bytes(bytes).error().kind, ErrorKind::corrupt);
  }
  EXPECT_FALSE(playlist_from_bytes("\x01"));
  EXPECT_FALSE(version_from_bytes("\x01"));
}

}  // namespace
}  // namespace relay::origin
