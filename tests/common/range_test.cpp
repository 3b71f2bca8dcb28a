// Byte ranges asked for, decided on and written.
#include "common/http/range.hpp"

#include <gtest/gtest.h>

#include "common/base/limits.hpp"

namespace relay::http {
namespace {

std::string many_ranges(std::size_t n) {
  std::string value = "bytes=";
  for (std::size_t i = 0; i < n; ++i) {
    value += std::to_string(i * 10) + "-" + std::to_string(i * 10 + 1) + ",";
  }
  return value;
}

TEST(DecideRange, OfAThousandBytes) {
  constexpr auto whole = RangeKind::whole;
  constexpr auto single = RangeKind::single;
  constexpr auto several = RangeKind::several;
  constexpr auto unsatisfiable = RangeKind::unsatisfiable;
  struct {
    std::string value;
    RangeKind kind;
    std::vector<ByteRange> ranges;
  } const cases[] = {
      {"bytes=0-99", single, {{0, 99}}},
      {"Bytes=0-99", single, {{0, 99}}},
      {"bytes=0-0", single, {{0, 0}}},
      {"bytes=999-", single, {{999, 999}}},
      {"bytes=0-", single, {{0, 999}}},
      {"bytes=500-9223372036854775807", single, {{500, 999}}},
      {"bytes=-1", single, {{999, 999}}},
      {"bytes=-5000", single, {{0, 999}}},
      {"bytes= 0-99 ,", single, {{0, 99}}},
      {"bytes=0-9,2000-", single, {{0, 9}}},
      {"bytes=0-9,20-29,-10", several, {{0, 9}, {20, 29}, {990, 999}}},
      {"bytes=20-29,0-9", several, {{20, 29}, {0, 9}}},
      {many_ranges(limits::ranges_max), several, {}},
      {many_ranges(limits::ranges_max + 1), whole, {}},
      {"bytes=0-9,9-20", whole, {}},
      {"bytes=0-,0-,0-", whole, {}},
      {"bytes=50-60,0-,10-20", whole, {}},
      {"bytes=1000-", unsatisfiable, {}},
      {"bytes=-0", unsatisfiable, {}},
      {"bytes=1000-1001,2000-", unsatisfiable, {}},
      {"", whole, {}},
      {"bytes", whole, {}},
      {"bytes=", whole, {}},
      {"bytes=,", whole, {}},
      {"bytes=-", whole, {}},
      {"bytes=9-0", whole, {}},
      {"bytes=a-b", whole, {}},
      {"bytes=0-9,x", whole, {}},
      {"bytes=0-9-", whole, {}},
      {"bytes=+0-9", whole, {}},
      {"bytes=0x0-9", whole, {}},
      {"bytes=0 - 9", whole, {}},
      {"bytes =0-9", whole, {}},
      {"bytes=99999999999999999999-", whole, {}},
      {"items=0-9", whole, {}},
  };
  for (const auto& c : cases) {
    RangeDecision decision = decide_range(c.value, 1000);
    EXPECT_EQ(decision.kind, c.kind) << c.value;
    if (c.kind == single) EXPECT_EQ(decision.range, c.ranges[0]) << c.value;
    if (c.kind == several && !c.ranges.empty()) EXPECT_EQ(decision.ranges, c.ranges) << c.value;
  }
}

TEST(DecideRange, OfNothing) {
  EXPECT_EQ(decide_range("bytes=0-", 0).kind, RangeKind::unsatisfiable);
  EXPECT_EQ(decide_range("bytes=-1", 0).kind, RangeKind::unsatisfiable);
}

TEST(ContentRange, WrittenAndRead) {
  EXPECT_EQ(write_content_range({0, 99}, 1000), "bytes 0-99/1000");
  EXPECT_EQ(write_content_range_unsatisfied(1000), "bytes */1000");
  EXPECT_EQ(read_content_range("bytes 0-99/1000"), (ContentRange{ByteRange{0, 99}, 1000}));
  EXPECT_EQ(read_content_range("bytes 0-99/*"), (ContentRange{ByteRange{0, 99}, std::nullopt}));
  EXPECT_EQ(read_content_range("bytes */1000"), (ContentRange{std::nullopt, 1000}));
  for (const char* text : {"", "bytes", "bytes 0-99", "bytes 0-99/", "bytes */*", "bytes 9-0/10",
                           "bytes 0-10/10", "bytes 0-/10", "bytes -5/10", "bytes=0-9/10",
                           "items 0-9/10", "bytes 0-9/10/11", "bytes 0-9/x"}) {
    EXPECT_EQ(read_content_range(text), std::nullopt) << text;
  }
}

TEST(Multipart, LengthIsThatOfTheText) {
  std::vector<ByteRange> ranges = {{0, 9}, {20, 24}};
  std::string body;
  for (const ByteRange& range : ranges) {
    body += multipart_head("b", "video/mp4", range, 1000);
    body.append(range.length(), 'x');
  }
  body += multipart_end("b");
  EXPECT_EQ(body,
            "\r\n--b\r\nContent-Type: video/mp4\r\nContent-Range: bytes 0-9/1000\r\n\r\nxxxxxxxxxx"
            "\r\n--b\r\nContent-Type: video/mp4\r\nContent-Range: bytes 20-24/1000\r\n\r\nxxxxx"
            "\r\n--b--\r\n");
  EXPECT_EQ(multipart_length("b", "video/mp4", ranges, 1000), body.size());
}

}  // namespace
}  // namespace relay::http
