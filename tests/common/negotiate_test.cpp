// Which photo format and which coding a client gets.
#include "common/http/negotiate.hpp"

#include <gtest/gtest.h>

#include <array>

namespace relay::http {
namespace {

constexpr std::array all = {PhotoFormat::jpg, PhotoFormat::webp, PhotoFormat::avif};
constexpr std::array no_avif = {PhotoFormat::jpg, PhotoFormat::webp};

TEST(PhotoFormats, Chosen) {
  struct {
    const char* accept;
    const char* of_all;
    const char* without_avif;
  } const cases[] = {
      {"image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", "avif", "webp"},
      {"image/webp,image/png,image/*;q=0.8,*/*;q=0.5", "webp", "webp"},
      {"*/*", "jpg", "jpg"},
      {"image/*", "jpg", "jpg"},
      {"", "jpg", "jpg"},
      {"text/html", "jpg", "jpg"},
      {"image/jpeg, image/avif;q=0.5", "jpg", "jpg"},
      {"image/jpeg;q=0.5, image/avif;q=0.501", "avif", "jpg"},
      {"image/avif;q=0, image/webp;q=0.1, */*;q=0", "webp", "webp"},
      {"image/avif;q=2, image/webp;q=x", "jpg", "jpg"},
      {"IMAGE/AVIF ; Q=1.000", "avif", "jpg"},
      {"image/avif;v=\"a,b;q=0\"", "avif", "jpg"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(extension(choose_photo_format(c.accept, all)), c.of_all) << c.accept;
    EXPECT_EQ(extension(choose_photo_format(c.accept, no_avif)), c.without_avif) << c.accept;
  }
  EXPECT_EQ(media_type(PhotoFormat::jpg), "image/jpeg");
}

TEST(Codings, GzipOrPlain) {
  EXPECT_EQ(choose_coding(std::nullopt), Coding::identity);
  for (const char* text : {"gzip", "gzip, deflate, br", "GZIP;q=0.1", "*", "br, *;q=0.5", "x-gzip",
                           "identity;q=0.5, gzip"}) {
    EXPECT_EQ(choose_coding(text), Coding::gzip) << text;
  }
  for (const char* text :
       {"", "br", "gzip;q=0", "gzip;q=0, *", "*;q=0", "identity, gzip;q=0.5", "gzipped"}) {
    EXPECT_EQ(choose_coding(text), Coding::identity) << text;
  }
}

TEST(Preferences, OneSpellingForWhatMeansTheSame) {
  struct {
    const char* text;
    const char* normal;
    const char* favourite;
  } const cases[] = {
      {"en, de", "de,en", ""},
      {"de, en", "de,en", ""},
      {" eN ,,  De", "de,en", ""},
      {"de, de;q=1.0", "de", "de"},
      {"fr;q=0.5, de;q=1.0", "de,fr;q=0.5", "de"},
      {"en-GB,en;q=0.80,*;q=0.1", "en-gb,en;q=0.8,*;q=0.1", "en-gb"},
      {"gzip;q=0, br", "br,gzip;q=0", "br"},
      {"*", "*", ""},
      {"de;q=0", "de;q=0", ""},
      {"text/HTML;Level=A;q=0.5", "text/html;Level=A;q=0.5", "text/html;Level=A"},
      {"de;q=x", "de;q=0", ""},
      {"", "", ""},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(normal_preferences(c.text), c.normal) << c.text;
    EXPECT_EQ(favourite(c.text), c.favourite) << c.text;
  }
}

}  // namespace
}  // namespace relay::http
