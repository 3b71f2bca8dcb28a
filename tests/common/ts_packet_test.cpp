#include "common/media/ts_packet.hpp"

#include <gtest/gtest.h>

#include <string>

namespace relay::media {
namespace {

/// With an adaptation field of these bytes after its length, and `payload` behind it.
std::string with_adaptation(std::string_view field, std::string_view payload, bool begins = false) {
  std::string packet = {'\x47', static_cast<char>(begins ? 0x41 : 0x01), '\x02', '\x35'};
  packet += static_cast<char>(field.size());
  packet += field;
  packet += payload;
  packet.resize(ts_packet_bytes, 'p');
  return packet;
}

std::string field(std::uint8_t flags, std::size_t bytes, std::uint8_t with_length = 0) {
  std::string field(bytes, static_cast<char>(with_length));
  if (bytes > 0) field[0] = static_cast<char>(flags);
  return field;
}

TEST(TsPacket, SaysWhatStandsInItsHead) {
  std::string bytes = with_adaptation("\x40", "payload", true);
  TsPacket packet(bytes);
  EXPECT_EQ(packet.pid(), 0x102);
  EXPECT_EQ(packet.continuity(), 5);
  EXPECT_TRUE(packet.begins_unit() && packet.random_access());
  EXPECT_FALSE(packet.discontinuity() || packet.transport_error());
  EXPECT_TRUE(packet.payload().starts_with("payload"));
  EXPECT_EQ(packet.payload().size(), 182u);
  bytes[1] = '\xc1';
  bytes[5] = '\x80';
  EXPECT_TRUE(packet.transport_error() && packet.discontinuity());
  bytes[3] = '\x15';
  EXPECT_EQ(packet.payload().size(), 184u);
  EXPECT_FALSE(packet.random_access() || packet.discontinuity() || packet.stuffed());
  bytes[3] = '\x25';
  EXPECT_EQ(packet.payload(), "");
}

TEST(TsPacket, AnAdaptationFieldThatLeavesNoRoomIsNoPayload) {
  for (int length : {183, 184, 255}) {
    std::string bytes = with_adaptation("", "");
    bytes[4] = static_cast<char>(length);
    EXPECT_EQ(TsPacket(bytes).payload(), "") << length;
    TsPacket(bytes).stuffed();
  }
}

// Filled up is what is longer than what stands in it.
TEST(TsPacket, KnowsStuffing) {
  for (auto [flags, bytes, stuffed] :
       std::vector<std::tuple<int, int, bool>>{{0, 0, true},      // a single byte of it: the length
                                               {0, 1, true},      // two
                                               {0, 90, true},     //
                                               {0x40, 1, false},  // random access
                                               {0x40, 2, true},   //
                                               {0x10, 7, false},  // a clock reference
                                               {0x10, 8, true},   //
                                               {0x50, 7, false},  //
                                               {0x18, 13, false},    // two of them
                                               {0x1c, 14, false},    // and a splice countdown
                                               {0x1c, 15, true}}) {  //
    std::string packet = with_adaptation(
        field(static_cast<std::uint8_t>(flags), static_cast<std::size_t>(bytes)), "x");
    EXPECT_EQ(TsPacket(packet).stuffed(), stuffed) << flags << " " << bytes;
  }
  std::string lengths = field(0x03, 7, 2);  // private data and an extension, of two bytes each
  EXPECT_FALSE(TsPacket(with_adaptation(lengths, "x")).stuffed());
  EXPECT_TRUE(TsPacket(with_adaptation(lengths + "\xff", "x")).stuffed());
  EXPECT_FALSE(TsPacket(with_adaptation(field(0x02, 3, 200), "x")).stuffed()) << "a lie";
}

std::string picture(std::uint16_t length, std::uint8_t flags, std::uint8_t head) {
  std::string pes("\0\0\1\xe0", 4);
  pes += {static_cast<char>(length >> 8), static_cast<char>(length), '\x80'};
  pes += {static_cast<char>(flags), static_cast<char>(head)};
  return pes + "PPPPPDDDDD" + std::string(20, 'd');
}

TEST(PictureHead, TellsWhereThePictureIsAndItsTimes) {
  const std::string both = picture(0, 0xc0, 10), one = picture(28, 0x80, 5);
  auto head = read_picture_head(both);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->head_bytes, 19u);
  EXPECT_EQ(head->data_bytes, 0u);
  EXPECT_EQ(head->times, "PPPPPDDDDD");
  EXPECT_FALSE(head->scrambled);
  EXPECT_EQ(read_picture_head(one)->data_bytes, 20u);
  EXPECT_EQ(read_picture_head(one)->times, "PPPPP");
  EXPECT_EQ(read_picture_head(picture(5, 0x80, 5))->data_bytes, 0u) << "shorter than its head";
  EXPECT_TRUE(read_picture_head(picture(0, 0x00, 5))->times.empty());
  EXPECT_TRUE(read_picture_head(picture(0, 0xc0, 5))->times.empty()) << "no room for both";
}

TEST(PictureHead, IsOfWholeHeadsOfVideoOnly) {
  std::string pes = picture(0, 0x80, 5);
  EXPECT_TRUE(begins_picture(pes));
  for (std::size_t cut : {0u, 3u, 8u, 13u})
    EXPECT_FALSE(read_picture_head(std::string_view(pes).substr(0, cut))) << cut;
  pes[3] = '\xc0';
  EXPECT_FALSE(begins_picture(pes) || read_picture_head(pes));
  EXPECT_FALSE(read_picture_head(std::string("\0\0\1\xe0\0\0\0\0\0", 9) + "x")) << "MPEG-1's";
}

}  // namespace
}  // namespace relay::media
