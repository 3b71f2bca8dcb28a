#include "transcoder/nal.hpp"

#include <gtest/gtest.h>

namespace relay::transcoder {
namespace {

std::vector<Bytes> copies(const std::vector<BytesView>& units) {
  std::vector<Bytes> result;
  for (BytesView unit : units) result.emplace_back(unit.begin(), unit.end());
  return result;
}

TEST(Nal, SplitsAtThreeAndFourByteStartCodes) {
  Bytes stream = {9, 9, 0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x65, 0, 1, 0, 0, 0, 0, 1, 0x41};
  EXPECT_EQ(copies(split_annex_b(stream)),
            (std::vector<Bytes>{{0x67, 1, 2}, {0x65, 0, 1}, {0x41}}));
  EXPECT_TRUE(split_annex_b({}).empty());
  EXPECT_TRUE(split_annex_b(Bytes{0, 0, 1}).empty());
  EXPECT_TRUE(split_annex_b(Bytes{1, 2, 3, 4}).empty());
}

TEST(Nal, LengthsThatDoNotFitAreRefused) {
  EXPECT_EQ(copies(*split_lengths(Bytes{0, 2, 0x65, 1, 0, 1, 0x41}, 2)),
            (std::vector<Bytes>{{0x65, 1}, {0x41}}));
  EXPECT_FALSE(split_lengths(Bytes{0, 0, 0, 9, 1}, 4));
  EXPECT_FALSE(split_lengths(Bytes{0, 0, 0}, 4));
  EXPECT_FALSE(split_lengths(Bytes{0xFF, 0xFF, 0xFF, 0xFF, 1}, 4));
}

TEST(Nal, RecordAndItsViewAgree) {
  Bytes sps = {0x67, 100, 0, 31, 7}, pps = {0x68, 5};
  auto record = make_avcc({sps, pps, sps});
  ASSERT_TRUE(record);
  EXPECT_EQ(*record, (Bytes{1,  100, 0, 31, 0xFF, 0xE1, 0, 5,    0x67, 100,  0,
                            31, 7,   1, 0,  2,    0x68, 5, 0xFD, 0xF8, 0xF8, 0}));
  auto view = read_avcc(*record);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->length_bytes, 4);
  EXPECT_EQ(copies(view->sequence_sets), (std::vector<Bytes>{sps}));
  EXPECT_EQ(copies(view->picture_sets), (std::vector<Bytes>{pps}));
  EXPECT_FALSE(make_avcc({sps}));
}

TEST(Nal, ZerosBehindAUnitAreNoPartOfIt) {
  // As ffmpeg copies a raw stream into an MP4: one zero of the next start code stays.
  Bytes record = {1, 77, 0, 31, 0xFF, 0xE1, 0, 4, 0x67, 77, 0, 31, 1, 0, 3, 0x68, 5, 0};
  EXPECT_EQ(copies(read_avcc(record)->picture_sets), (std::vector<Bytes>{{0x68, 5}}));
  EXPECT_EQ(copies(*split_lengths(Bytes{3, 0x68, 5, 0, 1, 0, 2, 0x41, 9}, 1)),
            (std::vector<Bytes>{{0x68, 5}, {0x41, 9}}));
}

TEST(Nal, EveryShortenedRecordIsRefusedOrHarmless) {
  Bytes sps = {0x67, 77, 0, 31, 7}, pps = {0x68, 5};
  Bytes record = *make_avcc({sps, pps});
  for (std::size_t size = 0; size < record.size(); ++size)
    EXPECT_FALSE(read_avcc(BytesView(record).first(size))) << size;
}

TEST(Nal, ParameterSetsHaveNumbers) {
  // ue(v): 1 is 0, 010 is 1, 00100 is 3, 000100000 is 31.
  EXPECT_EQ(set_id(Bytes{0x67, 0x64, 0x00, 0x1F, 0x80}), 0);
  EXPECT_EQ(set_id(Bytes{0x67, 0x64, 0x00, 0x1F, 0x40}), 1);
  EXPECT_EQ(set_id(Bytes{0x67, 0x64, 0x00, 0x1F, 0x20}), 3);
  EXPECT_EQ(set_id(Bytes{0x68, 0xEB}), 0);
  EXPECT_EQ(set_id(Bytes{0x68, 0x10, 0x00}), 7);
  EXPECT_EQ(set_id(Bytes{0x68, 0x04, 0x00}), 31);
  EXPECT_EQ(set_id(Bytes{0x65, 0x80}), std::nullopt) << "a picture";
  for (const Bytes& cut :
       {Bytes{}, Bytes{0x67, 0x64}, Bytes{0x68}, Bytes{0x68, 0x01}, Bytes{0x68, 0, 0}})
    EXPECT_EQ(set_id(cut), std::nullopt);
}

TEST(Nal, SamplesKeepOnlyWhatBelongsIntoThem) {
  Bytes delimiter = {0x09, 0xF0}, sps = {0x67, 1}, idr = {0x65, 7, 8}, filler = {0x0C, 1};
  EXPECT_EQ(to_sample({delimiter, sps, idr, filler}), (Bytes{0, 0, 0, 3, 0x65, 7, 8}));
  EXPECT_TRUE(has_idr({delimiter, idr}));
  EXPECT_FALSE(has_idr({delimiter, sps}));
}

}  // namespace
}  // namespace relay::transcoder
