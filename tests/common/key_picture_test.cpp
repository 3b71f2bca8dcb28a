#include "common/media/key_picture.hpp"

#include <gtest/gtest.h>

namespace relay::media {
namespace {

TEST(KeyPicture, ComeBackAsTheyWere) {
  std::vector<KeyPicture> keys = {{24, 5321, 0}, {90'000, 4444, 2'000'000}};
  EXPECT_EQ(to_text(keys), "24 5321 0, 90000 4444 2000000");
  EXPECT_EQ(key_pictures_from_text(to_text(keys), 94'444).value(), keys);
  EXPECT_TRUE(key_pictures_from_text("", 10).value().empty());
}

TEST(KeyPicture, RefusesWhatCanBeInNoSegment) {
  for (const char* text : {
           "24 5321",      // a number is missing
           "24 5321 0 7",  // one too many
           "24 x 0",       // no number
           "24 0 0",       // no bytes
           "24 77 0",      // behind the segment's end
           "18446744073709551615 1 0",
           "24 10 5",                 // the first one is not at the begin
           "24 10 0, 30 10 2000000",  // overlaps
           "24 10 0, 40 10 0",        // at the same time
           "40 10 0, 24 10 2000000",  // goes back
       })
    EXPECT_FALSE(key_pictures_from_text(text, 100)) << text;
  std::vector<KeyPicture> many;
  for (std::size_t i = 0; i <= key_pictures_max; ++i)
    many.push_back({i, 1, static_cast<std::int64_t>(i)});
  EXPECT_FALSE(key_pictures_from_text(to_text(many), 1000));
}

}  // namespace
}  // namespace relay::media
