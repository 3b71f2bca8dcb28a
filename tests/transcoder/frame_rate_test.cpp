#include "transcoder/frame_rate.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace relay::transcoder {
namespace {

// Frames of `rate`, their times rounded to `grain_ns`.
std::vector<std::int64_t> times(double rate, int count, std::int64_t grain_ns = 1) {
  std::vector<std::int64_t> result;
  for (int i = 0; i < count; ++i)
    result.push_back(std::llround(i / rate * 1e9 / static_cast<double>(grain_ns)) * grain_ns);
  return result;
}

constexpr Fraction ntsc{30000, 1001};

TEST(FrameRate, SteadySourcesSnapToTheStandardRate) {
  EXPECT_EQ(choose_frame_rate(times(25, 40), {25, 1}), (Fraction{25, 1}));
  EXPECT_EQ(choose_frame_rate(times(29.97, 40, 1'000'000), {}), ntsc);
  EXPECT_EQ(choose_frame_rate(times(29.97, 40, 1'000'000), {2997, 100}), ntsc);
  EXPECT_EQ(choose_frame_rate(times(23.976, 40, 11'111), {24000, 1001}), (Fraction{24000, 1001}));
  EXPECT_EQ(choose_frame_rate(times(59.94, 40, 1'000'000), {60000, 1001}), (Fraction{60000, 1001}));
}

TEST(FrameRate, ADeclaredRateThatIsNotTrueIsIgnored) {
  EXPECT_EQ(choose_frame_rate(times(25, 40), {90000, 1}), (Fraction{25, 1}));
  EXPECT_EQ(choose_frame_rate(times(50, 40), {25, 1}), (Fraction{50, 1}));
}

TEST(FrameRate, SaneOddRatesAreKept) {
  EXPECT_EQ(choose_frame_rate(times(15, 40), {15, 1}), (Fraction{15, 1}));
  EXPECT_EQ(choose_frame_rate(times(12.5, 40), {}), (Fraction{25, 2}));
}

TEST(FrameRate, FastOnesAreDividedSlowOnesMultiplied) {
  EXPECT_EQ(choose_frame_rate(times(120, 40), {120, 1}), (Fraction{60, 1}));
  EXPECT_EQ(choose_frame_rate(times(119.88, 40), {120000, 1001}), (Fraction{60000, 1001}));
  EXPECT_EQ(choose_frame_rate(times(240, 40), {240, 1}), (Fraction{60, 1}));
  EXPECT_EQ(choose_frame_rate(times(1, 10), {1, 1}), (Fraction{10, 1}));
  EXPECT_EQ(choose_frame_rate(times(7.5, 10), {15, 2}), (Fraction{15, 1}));
}

TEST(FrameRate, UnsteadyOnesLoseNoPicture) {
  std::vector<std::int64_t> unsteady;
  std::int64_t time = 0;
  for (int i = 0; i < 40; ++i) unsteady.push_back(time += i % 3 == 0 ? 60'000'000 : 35'000'000);
  EXPECT_EQ(choose_frame_rate(unsteady, {}), ntsc);
}

TEST(FrameRate, StillsHoursApartGetTheLeastRate) {
  EXPECT_EQ(choose_frame_rate(times(0.0001, 3), {}), (Fraction{10, 1}));
  EXPECT_EQ(choose_frame_rate(times(0.3, 3), {3, 10}), (Fraction{10, 1}));
}

TEST(FrameRate, NothingKnownIs25) {
  EXPECT_EQ(choose_frame_rate({}, {}), (Fraction{25, 1}));
  EXPECT_EQ(choose_frame_rate({}, {0, 0}), (Fraction{25, 1}));
  EXPECT_EQ(choose_frame_rate({}, {1'000'000'000, 1}), (Fraction{25, 1}));
  EXPECT_EQ(choose_frame_rate({}, {30, 1}), (Fraction{30, 1}));
}

TEST(FrameRate, EveryPictureOfASteadySourceGetsItsOwnFrame) {
  for (double rate : {23.976, 29.97, 59.94}) {
    auto shown = times(rate, 5000, 1'000'000);
    Fraction chosen = choose_frame_rate(shown, {});
    for (int i = 0; i < 5000; ++i)
      ASSERT_EQ(frame_at(shown[static_cast<std::size_t>(i)], chosen), i) << rate;
  }
}

TEST(FrameRate, TimesRoundToTheNearestFrame) {
  EXPECT_EQ(frame_at(0, {25, 1}), 0);
  EXPECT_EQ(frame_at(19'999'999, {25, 1}), 0);
  EXPECT_EQ(frame_at(20'000'000, {25, 1}), 1);
  EXPECT_EQ(frame_at(-20'000'001, {25, 1}), -1);
  EXPECT_EQ(frame_at(86'400'000'000'000, {60000, 1001}), 5'178'821);
  EXPECT_EQ(time_of_frame(30000, ntsc), 1'001'000'000'000);
}

TEST(FrameRate, AFrameIsAWholeNumberOfTicks) {
  for (Fraction rate : {Fraction{25, 1}, ntsc, Fraction{14977, 1000}, Fraction{10, 1}}) {
    std::int64_t scale = timescale_for(rate);
    EXPECT_GE(scale, 12'800);
    EXPECT_EQ(scale * rate.denominator % rate.numerator, 0);
  }
}

TEST(FrameRate, SteadyMeansEveryFrameOnTheGrid) {
  auto shown = times(25, 100, 1'000'000);
  EXPECT_TRUE(is_steady(shown, {25, 1}, 1'100'000));
  shown[50] += 5'000'000;
  EXPECT_FALSE(is_steady(shown, {25, 1}, 1'100'000));
  EXPECT_FALSE(is_steady(times(30, 2000), ntsc, 1'100'000));
}

}  // namespace
}  // namespace relay::transcoder
