#include "transcoder/live/byte_queue.hpp"

#include <gtest/gtest.h>

#include <string>

namespace relay::transcoder::live {
namespace {

TEST(ByteQueue, UnitsComeOutOneByOneWithTheirTimes) {
  ByteQueue queue(10);
  EXPECT_TRUE(queue.push("abc", 7));
  EXPECT_TRUE(queue.push("de", 8));
  std::uint8_t into[8];
  EXPECT_EQ(queue.read(into, 2), 2);
  EXPECT_EQ(queue.arrival_us(), 7);
  EXPECT_EQ(queue.read(into, 8), 1) << "the rest of the unit";
  EXPECT_EQ(queue.read(into, 8), 2);
  EXPECT_EQ(queue.arrival_us(), 8);
  queue.end();
  EXPECT_EQ(queue.read(into, 8), 0);
}

TEST(ByteQueue, WholeUnitsComeOutWithTheirTimes) {
  ByteQueue queue(10);
  queue.push("abc", 7);
  queue.push("de", 8);
  EXPECT_EQ(queue.take(), "abc");
  EXPECT_EQ(queue.arrival_us(), 7);
  EXPECT_EQ(queue.bytes(), 2u);
  EXPECT_EQ(queue.take(), "de");
  queue.end();
  EXPECT_EQ(queue.take(), "");
  EXPECT_EQ(queue.arrival_us(), 8);
}

TEST(ByteQueue, AUnitThatDoesNotFitIsDropped) {
  ByteQueue queue(4);
  EXPECT_TRUE(queue.push("abc", 1));
  EXPECT_FALSE(queue.push("de", 2));
  EXPECT_EQ(queue.bytes(), 3u);
}

TEST(ByteQueue, NothingIsKeptOnceNobodyReads) {
  ByteQueue queue(4);
  EXPECT_TRUE(queue.push("abc", 1));
  queue.stop();
  EXPECT_EQ(queue.bytes(), 0u);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(queue.push("abc", 2)) << "no sign of being late";
  EXPECT_EQ(queue.bytes(), 0u);
  std::uint8_t into[4];
  EXPECT_EQ(queue.read(into, 4), 0);
}

}  // namespace
}  // namespace relay::transcoder::live
