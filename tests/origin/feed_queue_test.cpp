// What publishers sent and nobody took yet: bounds, drops, headers for a new transcoder.
#include "origin/live/feed_queue.hpp"

#include <gtest/gtest.h>

#include "common/media/ts_packet.hpp"
#include "origin/live/channels.hpp"
#include "origin/live/ts_units.hpp"

namespace relay::origin::live {
namespace {

using namespace std::chrono_literals;
using media::FeedFormat;
using enum media::FeedSlot;

constexpr SteadyTime start{};

/// The frames as words: "begin flv", "data X", "end"; of the backup slot with a "b:" in front.
std::vector<std::string> words(FeedQueue& queue) {
  std::string bytes = queue.take(1 << 30);
  std::string_view rest = bytes;
  std::vector<std::string> all;
  while (!rest.empty()) {
    auto taken = media::take_feed_frame(rest);
    EXPECT_TRUE(taken && *taken);
    if (!taken || !*taken) return all;
    const media::FeedFrame& frame = (*taken)->frame;
    std::string word = frame.slot == backup ? "b:" : "";
    if (frame.kind == media::FeedFrame::Kind::begin)
      word += std::string("begin ") + name(frame.format);
    if (frame.kind == media::FeedFrame::Kind::data)
      word += std::string("data ") + std::string(frame.payload);
    if (frame.kind == media::FeedFrame::Kind::end) word += "end";
    all.push_back(word);
    rest.remove_prefix((*taken)->bytes);
  }
  return all;
}

using Words = std::vector<std::string>;

TEST(FeedQueue, PassesAStreamFromItsBeginning) {
  FeedQueue queue;
  queue.attach(start);
  queue.begin(primary, FeedFormat::flv, start);
  queue.add(primary, Unit::start, "S", start);
  queue.add(primary, Unit::other, "dropped", start);
  queue.add(primary, Unit::key_picture, "K", start);
  queue.add(primary, Unit::other, "p", start);
  queue.end(primary);
  queue.add(primary, Unit::key_picture, "late", start);
  EXPECT_EQ(words(queue), (Words{"begin flv", "data S", "data K", "data p", "end"}));
  EXPECT_EQ(queue.bytes(), 0u);
  EXPECT_EQ(queue.dropped(primary), 1u);
}

TEST(FeedQueue, ATranscoderThatComesLaterGetsHeadersAndTheNextKeyPicture) {
  FeedQueue queue;
  queue.begin(backup, FeedFormat::flv, start);
  queue.add(backup, Unit::start, "S", start);
  queue.add(backup, Unit::video_header, "old", start);
  queue.add(backup, Unit::video_header, "V", start);
  queue.add(backup, Unit::key_picture, "nobody sees it", start);
  EXPECT_TRUE(queue.empty());
  queue.attach(start);
  queue.add(backup, Unit::other, "p", start);
  queue.add(backup, Unit::key_picture, "K", start);
  EXPECT_EQ(words(queue), (Words{"b:begin flv", "b:data S", "b:data V", "b:data K"}));
}

TEST(FeedQueue, TooManyBytesDropPicturesUpToTheNextKeyPicture) {
  FeedQueue queue({.bytes_max = 40});
  queue.attach(start);
  queue.begin(primary, FeedFormat::mpegts, start);
  queue.add(primary, Unit::key_picture, "K", start);
  queue.add(primary, Unit::other, "01234567", start);
  queue.add(primary, Unit::other, "89abcdef", start);  // overflows
  queue.add(primary, Unit::other, "x", start);
  queue.add(primary, Unit::key_picture, "K2", start);
  EXPECT_LE(queue.bytes(), 40u);
  EXPECT_EQ(words(queue), (Words{"begin mpegts", "data K2"}));
  EXPECT_EQ(queue.dropped(primary), 4u);
}

TEST(FeedQueue, WhatIsTooOldIsDropped) {
  FeedQueue queue({.age_max = 1000ms});
  queue.attach(start);
  queue.begin(primary, FeedFormat::mpegts, start);
  queue.add(primary, Unit::key_picture, "K", start);
  queue.add(primary, Unit::other, "p", start + 1000ms);
  queue.add(primary, Unit::other, "late", start + 1001ms);
  EXPECT_EQ(words(queue), (Words{"begin mpegts"}));
}

TEST(FeedQueue, AStreamWithoutKeyPicturesGoesOnAfterAWhile) {
  FeedQueue queue({.key_wait = 3000ms});
  queue.attach(start);
  queue.begin(primary, FeedFormat::mpegts, start);
  queue.add(primary, Unit::other, "a", start + 2999ms);
  queue.add(primary, Unit::other, "b", start + 3000ms);
  queue.add(primary, Unit::other, "c", start + 3001ms);
  EXPECT_EQ(words(queue), (Words{"begin mpegts", "data b", "data c"}));
}

TEST(FeedQueue, HeadersDoNotGrowItWithoutBounds) {
  FeedQueue queue({.bytes_max = 100});
  queue.attach(start);
  queue.begin(primary, FeedFormat::flv, start);
  for (int i = 0; i < 1000; ++i) queue.add(primary, Unit::metadata, "0123456789", start);
  EXPECT_LE(queue.bytes(), 120u);
}

TEST(FeedQueue, TheOtherSlotGoesOnWhenOneEnds) {
  FeedQueue queue;
  queue.attach(start);
  queue.begin(primary, FeedFormat::flv, start);
  queue.begin(backup, FeedFormat::mpegts, start);
  queue.add(backup, Unit::key_picture, "K", start);
  queue.end(primary);
  queue.end(primary);
  EXPECT_EQ(words(queue), (Words{"begin flv", "b:begin mpegts", "b:data K", "end"}));
}

std::string packet(unsigned char id, bool key = false) {
  std::string bytes(media::ts_packet_bytes, static_cast<char>(id));
  bytes[0] = 0x47;
  bytes[1] = key ? 0x41 : 0x01;
  bytes[3] = key ? 0x30 : 0x10;
  if (!key) return bytes;
  bytes[4] = 1;
  bytes[5] = 0x40;
  bytes.replace(6, 4, std::string("\0\0\1\xe0", 4));
  return bytes;
}

TEST(TsUnits, CutsPacketsWhereverTheBytesWereCut) {
  std::string stream = packet('a') + packet('b') + packet('k', true) + packet('c');
  for (std::size_t cut : {1u, 100u, 188u, 189u, 376u, 600u}) {
    TsUnits units;
    std::string all;
    std::size_t keys = 0;
    TsUnits::Take take = [&](std::string_view unit, Unit kind) {
      EXPECT_EQ(unit.size() % media::ts_packet_bytes, 0u);
      if (kind == Unit::key_picture) {
        ++keys;
        EXPECT_EQ(unit, packet('k', true));
      }
      all += unit;
    };
    ASSERT_TRUE(units.add(stream.substr(0, cut), take));
    ASSERT_TRUE(units.add(stream.substr(cut), take));
    EXPECT_EQ(all, stream) << cut;
    EXPECT_EQ(keys, 1u);
  }
}

TEST(TsUnits, FindsPacketsBehindGarbageAndRefusesWhatHasNone) {
  TsUnits units;
  std::string all;
  TsUnits::Take take = [&](std::string_view unit, Unit) { all += unit; };
  ASSERT_TRUE(units.add("\x47garbage" + packet('a') + packet('b'), take));
  EXPECT_EQ(all, packet('a') + packet('b'));
  auto refused = units.add(std::string(TsUnits::sync_bytes_max + 400, 'x'), take);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::invalid);
}

TEST(StreamKey, IsReadAsRtmpAndSrtSpellIt) {
  struct Row {
    const char* text;
    bool is_srt;
    const char *tenant, *asset, *key;
    media::FeedSlot slot;
  };
  for (const Row& row : {
           Row{"demo/final?key=abc", false, "demo", "final", "abc", primary},
           Row{"/demo/final?slot=backup&key=abc&x=1", false, "demo", "final", "abc", backup},
           Row{"demo/final?key=abc", true, "demo", "final", "abc", primary},
           Row{"#!::u=demo,r=final,s=abc", true, "demo", "final", "abc", primary},
           Row{"%23!::u=demo,r=final,s=abc", true, "demo", "final", "abc", primary},
           Row{"%23!%3A%3Au%3Ddemo%2Cr%3Dfinal", true, "demo", "final", "", primary},
           Row{"#!::u=demo,r=final", true, "demo", "final", "", primary},
           Row{"demo/final", false, "demo", "final", "", primary},
           Row{"#!::r=final,m=publish,s=abc,u=demo,slot=backup", true, "demo", "final", "abc",
               backup},
       }) {
    auto key = row.is_srt ? read_stream_id(row.text) : read_stream_name(row.text);
    ASSERT_TRUE(key) << row.text;
    EXPECT_EQ(key->tenant, row.tenant);
    EXPECT_EQ(key->asset, row.asset);
    EXPECT_EQ(key->key, row.key);
    EXPECT_EQ(key->slot, row.slot);
  }
  for (const char* text : {"", "demo", "/x?key=a", "demo/final?key=a&slot=third", "#!::", "%23!::"})
    EXPECT_FALSE(read_stream_id(text)) << text;
}

}  // namespace
}  // namespace relay::origin::live
