#include "transcoder/captions.hpp"

#include <gtest/gtest.h>

#include <string>

namespace relay::transcoder {
namespace {

Bytes triple(std::uint8_t marker, std::uint8_t first, std::uint8_t second) {
  return {marker, first, second};
}

Bytes joined(const std::vector<Bytes>& parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

/// A SEI unit with one message.
Bytes sei(std::uint8_t type, const Bytes& payload) {
  return joined({{6, type, static_cast<std::uint8_t>(payload.size())}, payload, {0x80}});
}

Bytes user_data(const Bytes& triples) {
  auto flags = static_cast<std::uint8_t>(0x40 | triples.size() / 3);
  return joined({{0xB5, 0, 0x31, 'G', 'A', '9', '4', 3, flags, 0xFF}, triples, {0xFF}});
}

Bytes captions_in(const std::vector<Bytes>& units) {
  return captions_of(std::vector<BytesView>(units.begin(), units.end()));
}

TEST(Captions, AreFoundAmongTheUnitsOfAPicture) {
  Bytes first = joined({triple(0xFC, 0x94, 0x20), triple(0xFD, 0x80, 0x80)});
  Bytes second = triple(0xFF, 1, 2);
  Bytes picture = {1, 2, 3};
  EXPECT_EQ(captions_in({picture, sei(4, user_data(first)), sei(4, user_data(second)), picture}),
            joined({first, second}));
  Bytes two_messages = sei(5, {9, 9, 9});
  two_messages.pop_back();
  Bytes other = sei(4, user_data(second));
  two_messages.insert(two_messages.end(), other.begin() + 1, other.end());
  EXPECT_EQ(captions_in({two_messages}), second);
}

TEST(Captions, EmulationPreventionIsTakenOut) {
  Bytes triples = joined({triple(0xFC, 0, 0), triple(1, 0, 0)});
  Bytes unit = sei(4, user_data(triples));
  Bytes escaped;
  for (std::size_t i = 0; i < unit.size(); ++i) {
    bool after_zeros = i >= 2 && unit[i - 1] == 0 && unit[i - 2] == 0;
    if (after_zeros && unit[i] <= 3) escaped.push_back(3);
    escaped.push_back(unit[i]);
  }
  ASSERT_GT(escaped.size(), unit.size());
  EXPECT_EQ(captions_in({escaped}), triples);
}

TEST(Captions, OtherAndDamagedMessagesHoldNone) {
  Bytes good = user_data(triple(0xFC, 0x94, 0x20));
  EXPECT_TRUE(captions_in({}).empty());
  EXPECT_TRUE(captions_in({sei(5, good)}).empty());
  Bytes other_owner = good, no_process = good, too_many = good;
  other_owner[3] = 'D';
  no_process[8] = 1;
  too_many[8] = 0x40 | 9;
  for (const Bytes& payload : {other_owner, no_process, too_many})
    EXPECT_TRUE(captions_in({sei(4, payload)}).empty());
  Bytes whole = sei(4, good);
  for (std::size_t length = 0; length + 2 < whole.size(); ++length)
    EXPECT_TRUE(
        captions_in({Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length))})
            .empty())
        << length;
}

TEST(Captions, ChannelsAreThoseThatCaptionsBeginOn) {
  auto channels = [](const Bytes& triples) { return caption_channels(triples).to_string(); };
  EXPECT_EQ(channels(triple(0xFC, 0x94, 0x20)), "0001");  // CC1, parity bit set
  EXPECT_EQ(channels(triple(0xFC, 0x1C, 0x25)), "0010");  // CC2 rolls up
  EXPECT_EQ(channels(triple(0xFD, 0x15, 0x29)), "0100");  // CC3 paints
  EXPECT_EQ(channels(triple(0xFD, 0x9D, 0x2F)), "1000");  // CC4
  EXPECT_EQ(channels(triple(0xFC, 0x14, 0x2A)), "0000");  // text restart: T1
  EXPECT_EQ(channels(triple(0xFC, 0x80, 0x80)), "0000");  // nothing to say
  EXPECT_EQ(channels(triple(0xF8, 0x94, 0x20)), "0000");  // void
  EXPECT_EQ(channels(triple(0xFF, 0x14, 0x20)), "0000");  // CEA-708
  EXPECT_EQ(channels(joined({triple(0xFC, 0x14, 0x20), {0xFC, 0x1C}})), "0001");  // cut short
}

TEST(SourceCaptions, WaitForThePictureThatIsShown) {
  SourceCaptions captions;
  captions.add(100, triple(0xFC, 1, 1));
  captions.add(200, triple(0xFC, 2, 2));
  captions.add(200, {});
  captions.add(300, triple(0xFC, 3, 3));
  EXPECT_TRUE(captions.take(99).empty());
  EXPECT_EQ(captions.take(250), joined({triple(0xFC, 1, 1), triple(0xFC, 2, 2)}));
  EXPECT_TRUE(captions.take(250).empty());
  EXPECT_EQ(captions.take(300), triple(0xFC, 3, 3));
}

TEST(SourceCaptions, AfterAStepBackOfTheClockNothingWaitsForOldTimes) {
  SourceCaptions captions;
  captions.add(60'000, triple(0xFC, 1, 1));
  captions.add(100, triple(0xFC, 2, 2));
  EXPECT_EQ(captions.take(100), joined({triple(0xFC, 1, 1), triple(0xFC, 2, 2)}));
}

TEST(CaptionQueue, CarriesEachTripleOnceAndAtMostWhatAPictureHolds) {
  CaptionQueue queue;
  EXPECT_TRUE(queue.take().empty());
  Bytes all;
  for (std::uint8_t i = 0; i < 40; ++i) {
    queue.add(triple(0xFC, i, i));
    queue.add(triple(0xFA, 0, 0));  // void
    all = joined({all, triple(0xFC, i, i)});
  }
  Bytes first = queue.take(), second = queue.take();
  EXPECT_EQ(first.size(), 31u * 3);
  EXPECT_EQ(joined({first, second}), all);
  EXPECT_TRUE(queue.take().empty());
}

TEST(CaptionQueue, HoldsTheNewestOfWhatIsTooMuch) {
  CaptionQueue queue;
  for (int i = 0; i < 5000; ++i) queue.add(triple(0xFC, static_cast<std::uint8_t>(i / 256), 0));
  std::size_t held = 0;
  Bytes last;
  for (Bytes taken = queue.take(); !taken.empty(); taken = queue.take()) {
    held += taken.size() / 3;
    last = taken;
  }
  EXPECT_LT(held, 1500u);
  EXPECT_EQ(last[last.size() - 2], 4999 / 256);
}

}  // namespace
}  // namespace relay::transcoder
