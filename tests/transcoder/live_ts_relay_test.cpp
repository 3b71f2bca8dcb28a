// When pictures go on to the demuxer, and that all of them do, whatever comes in.
#include "transcoder/live/ts_relay.hpp"

#include <gmock/gmock.h>

#include <random>

#include "tests/transcoder/ts_builder.hpp"

namespace relay::transcoder::live {
namespace {

constexpr int pid = 0x100, other_pid = 0x103;

class TsRelayStory : public testing::Test {
 protected:
  void add(const Packets& more) { packets.insert(packets.end(), more.begin(), more.end()); }
  void pictures(int count, std::size_t bytes = 1000) {
    for (int i = 0; i < count; ++i) add(video.pes(h264_picture(bytes)));
  }
  /// Of each piece of pictures, whether it is a whole one.
  std::vector<bool> whole() {
    std::vector<bool> all;
    pieces = relayed(packets, &refusal);
    EXPECT_EQ(flaw_of(packets, pieces), "");
    for (const TsPiece& piece : pieces)
      if (piece.pid == pid && !piece.bytes.empty()) all.push_back(piece.whole_picture);
    return all;
  }

  TsBuilder video{pid};
  Packets packets;
  std::vector<TsPiece> pieces;
  std::string refusal;
};

using Whole = std::vector<bool>;

TEST_F(TsRelayStory, PicturesAreTrustedAfterTwo) {
  pictures(5);
  EXPECT_EQ(whole(), Whole(5, true)) << "the first ones wait for it";
  for (const TsPiece& piece : pieces) EXPECT_EQ(piece.coding, PictureCoding::h264);
}

// The third picture's first packet shows where the second ended; from there on nothing waits.
TEST_F(TsRelayStory, EachGoesOnWithItsLastPacket) {
  pictures(4);
  std::size_t each = packets.size() / 4;
  TsRelay relay;
  auto coding_of = [](int) { return PictureCoding::h264; };
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    relay.add(packets[i], static_cast<std::int64_t>(i));
    while (auto piece = relay.next(coding_of)) {
      EXPECT_EQ(piece->arrival_us, static_cast<std::int64_t>((out.size() + 1) * each - 1));
      out.push_back(i);
    }
  }
  EXPECT_EQ(out, (std::vector<std::size_t>{2 * each, 2 * each, 3 * each - 1, 4 * each - 1}));
}

TEST_F(TsRelayStory, OneThatEndsInAFullPacketWaitsForTheNext) {
  pictures(3);
  constexpr std::size_t full = 3 * 184 - 14;
  pictures(1, full);
  TsRelay relay;
  for (const std::string& packet : packets) {
    relay.add(packet, 0);
    while (relay.next([](int) { return PictureCoding::h264; })) {
    }
  }
  pictures(1);
  relay.add(packets[packets.size() - 6], 0);
  auto piece = relay.next([](int) { return PictureCoding::h264; });
  ASSERT_TRUE(piece);
  EXPECT_TRUE(piece->whole_picture);
  EXPECT_EQ(piece->bytes.size(), 4 * media::ts_packet_bytes) << "and its end";
}

TEST_F(TsRelayStory, AStatedLengthIsTheEnd) {
  for (int i = 0; i < 3; ++i) add(video.pes(h264_picture(3 * 184 - 14), true));
  EXPECT_EQ(whole(), Whole(3, true));
}

TEST_F(TsRelayStory, OtherCodingsAndOtherPidsGoOnAsTheyCome) {
  TsBuilder sound(other_pid), mpeg2(0x107);
  pictures(3);
  add({sound.packet("sound", true)});
  add(mpeg2.pes("a picture of another coding"));
  pictures(1);
  EXPECT_EQ(whole(), Whole(4, true));
  std::string bytes;
  for (const TsPiece& piece : pieces)
    if (piece.pid == TsPiece::any_pid) bytes += piece.bytes;
  EXPECT_EQ(packets_of(bytes).size(), 2u);
}

TEST_F(TsRelayStory, ABeginWithinAPictureIsPassedOn) {
  Packets torn = video.pes(h264_picture(1000));
  add({torn.begin() + 2, torn.end()});
  pictures(3);
  EXPECT_EQ(whole(), Whole(3, true));
}

TEST_F(TsRelayStory, SeveralPicturesInAPesPacketAreLeftToTheParser) {
  add(video.pes(h264_picture(300) + h264_picture(300)));
  pictures(3);
  EXPECT_EQ(whole(), Whole(4, false)) << "trusted later, for it was wrong once";
  EXPECT_EQ(refusal, "");
  pictures(20);
  Whole all = whole();
  EXPECT_FALSE(all[7]);
  EXPECT_TRUE(std::all_of(all.begin() + 8, all.end(), [](bool each) { return each; }));
}

TEST_F(TsRelayStory, ASlicePerPesPacketIsLeftToTheParser) {
  for (int i = 0; i < 3; ++i) {
    add(video.pes(h264_picture(300)));
    add(video.pes(std::string("\0\0\1\x41\x02later", 10)));
  }
  EXPECT_EQ(whole(), Whole(6, false));
}

TEST_F(TsRelayStory, AStreamThatFillsUpWithinPicturesIsNotTrusted) {
  for (int i = 0; i < 4; ++i) {
    std::string data = h264_picture(1000);
    add(video.pes(data.substr(0, 500)));
    add({video.packet(data.substr(500, 100))});
  }
  EXPECT_EQ(whole(), Whole(1, false));
  EXPECT_THAT(refusal, testing::HasSubstr("within a picture"));
}

// What was given on cannot be taken back; nothing more is guessed.
TEST_F(TsRelayStory, AWrongGuessIsTheLast) {
  pictures(3);
  add(video.pes(h264_picture(500)));
  add({video.packet("the rest of it")});
  pictures(4);
  EXPECT_EQ(whole(), Whole(4, true));
  EXPECT_THAT(refusal, testing::HasSubstr("went on"));
  // A piece of no bytes has told that the parser looks again.
  EXPECT_TRUE(std::ranges::any_of(
      pieces, [](const TsPiece& piece) { return piece.pid == pid && piece.bytes.empty(); }));
}

TEST_F(TsRelayStory, DamageIsNoDisappointment) {
  pictures(3);
  video.skip(2);
  add({video.packet("what is left of a picture whose begin was lost")});
  pictures(1);
  Packets torn = video.pes(h264_picture(1000));
  torn.erase(torn.begin() + 2);
  add(torn);
  pictures(3);
  EXPECT_EQ(whole(), (Whole{true, true, true, true, false, false, true, true}));
  EXPECT_EQ(refusal, "");
}

TEST_F(TsRelayStory, APictureThatIsTooLargeIsNotKept) {
  pictures(3);
  pictures(1, PesTrack::picture_bytes_max);
  pictures(1);
  EXPECT_EQ(whole(), (Whole{true, true, true, false}));
  EXPECT_THAT(refusal, testing::HasSubstr("2000000 bytes"));
}

TEST_F(TsRelayStory, NoMoreThanSoManyTracksAreKept) {
  std::vector<TsBuilder> builders;
  for (int i = 0; i < 8; ++i) builders.emplace_back(0x200 + 2 * i);
  for (int i = 0; i < 3; ++i)
    for (TsBuilder& each : builders) add(each.pes(h264_picture(100)));
  auto out = relayed(packets);
  EXPECT_EQ(flaw_of(packets, out), "");
  auto is_whole = [](const TsPiece& piece) { return piece.whole_picture; };
  EXPECT_EQ(std::ranges::count_if(out, is_whole), 3 * std::ptrdiff_t{TsRelay::tracks_max});
}

// What is judged is asked for when the demuxer has read the tables before it.
TEST(TsRelay, AsksWhenAllBeforeWasTaken) {
  TsBuilder tables(0x11), video(pid);
  std::string unit = tables.packet("tables", true) + video.pes(h264_picture(50)).front();
  TsRelay relay;
  relay.add(unit, 1);
  bool asked = false;
  auto coding_of = [&](int) {
    asked = true;
    return PictureCoding::h264;
  };
  auto piece = relay.next(coding_of);
  ASSERT_TRUE(piece);
  EXPECT_EQ(piece->bytes, unit.substr(0, media::ts_packet_bytes));
  EXPECT_FALSE(asked);
  EXPECT_FALSE(relay.next(coding_of));
  EXPECT_TRUE(asked);
}

// Bits flipped, packets lost, doubled and exchanged: whatever it makes of them, it keeps them all.
TEST(TsRelay, KeepsAllOfWhatIsDamaged) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    std::mt19937 random(seed);
    TsBuilder video(pid), more(0x105), sound(other_pid);
    Packets packets;
    for (int i = 0; i < 30; ++i) {
      Packets pes = random() % 4 ? video.pes(h264_picture(random() % 1200), random() % 8 == 0)
                                 : more.pes(h264_picture(random() % 600));
      packets.insert(packets.end(), pes.begin(), pes.end());
      if (random() % 3 == 0) packets.push_back(sound.packet("sound", true));
    }
    for (unsigned damage = random() % 12; damage > 0; --damage) {
      std::size_t at = random() % packets.size();
      switch (random() % 4) {
        case 0:
          packets.erase(packets.begin() + static_cast<std::ptrdiff_t>(at));
          break;
        case 1:
          packets.insert(packets.begin() + static_cast<std::ptrdiff_t>(at), packets[at]);
          break;
        case 2:
          std::swap(packets[at], packets[random() % packets.size()]);
          break;
        default:  // not the sync byte: the feed holds whole packets
          packets[at][1 + random() % (random() % 2 ? 30 : 187)] ^=
              static_cast<char>(1 << random() % 8);
      }
    }
    ASSERT_EQ(flaw_of(packets, relayed(packets)), "") << "seed " << seed;
  }
}

}  // namespace
}  // namespace relay::transcoder::live
