#include "origin/intake/upload.hpp"

#include <gtest/gtest.h>

#include "origin/intake/sha256.hpp"

namespace relay::origin::intake {
namespace {

constexpr const char* abc_base64 = "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:";
constexpr const char* abc_hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Sha256, IsThatOfTheStandard) {
  EXPECT_EQ(sha256_hex("abc"), abc_hex);
}

TEST(Digest, IsReadFromEitherField) {
  for (const char* name : {"Repr-Digest", "Content-Digest"}) {
    http::Headers headers{{name, abc_base64}};
    auto promised = promised_sha256(headers);
    ASSERT_TRUE(promised && *promised) << name;
    EXPECT_EQ(hex(**promised), abc_hex);
  }
}

TEST(Digest, OtherAlgorithmsAndNoneArePassedOver) {
  http::Headers none, md5{{"Content-Digest", "md5=:AAAA:"}};
  EXPECT_FALSE(*promised_sha256(none));
  EXPECT_FALSE(*promised_sha256(md5));
}

TEST(Digest, RefusesWhatItCannotCheck) {
  http::Headers cases[] = {
      {{"Content-Digest", "sha-256=abc"}},
      {{"Content-Digest", "sha-256=:AAAA:"}},
      {{"Repr-Digest", "=="}},
      {{"Repr-Digest", abc_base64},
       {"Content-Digest", "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"}},
  };
  for (const http::Headers& headers : cases) {
    auto promised = promised_sha256(headers);
    ASSERT_FALSE(promised) << headers.fields()[0].value;
    EXPECT_EQ(promised.error().kind, ErrorKind::invalid);
  }
}

}  // namespace
}  // namespace relay::origin::intake
