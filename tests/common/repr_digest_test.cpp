#include "common/http/repr_digest.hpp"

#include <gtest/gtest.h>

namespace relay::http {
namespace {

constexpr Digest128 counting{0x0001020304050607, 0x08090a0b0c0d0e0f};

TEST(ReprDigest, IsWrittenHighHalfFirst) {
  EXPECT_EQ(write_repr_digest(counting), "xxh3-128=:AAECAwQFBgcICQoLDA0ODw==:");
}

TEST(ReprDigest, IsReadBesideOthers) {
  auto digest = read_repr_digest("sha-256=:AA==:, xxh3-128=:AAECAwQFBgcICQoLDA0ODw==:");
  ASSERT_TRUE(digest && *digest);
  EXPECT_EQ(**digest, counting);
}

TEST(ReprDigest, IsNoneWhenNotNamed) {
  for (const char* field : {"", "sha-256=:AA==:"}) {
    auto digest = read_repr_digest(field);
    ASSERT_TRUE(digest) << field;
    EXPECT_FALSE(*digest) << field;
  }
}

TEST(ReprDigest, RefusesWhatIsNotSixteenBytes) {
  for (const char* field : {"xxh3-128=:AAEC:", "xxh3-128=5", "xxh3-128=:AA", "=:"}) {
    EXPECT_FALSE(read_repr_digest(field)) << field;
  }
}

constexpr const char* abc_sha256 = "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:";
constexpr const char* abc_sha512 =
    "sha-512=:3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/"
    "uu9RU1EI2Q86A4qmslPpUyknw==:";

TEST(ReprDigest, ShaOfAMessageIsThatOfTheStandard) {
  for (const char* value : {abc_sha256, abc_sha512}) {
    auto promised = read_repr_sha(Headers{{"Repr-Digest", value}});
    ASSERT_TRUE(promised) << value;
    ShaStream pieces(promised->sha);
    pieces.update("a");
    pieces.update("bc");
    EXPECT_EQ(pieces.finish(), promised->digest);
  }
  Headers both{{"Repr-Digest", abc_sha512}, {"Repr-Digest", abc_sha256}};
  EXPECT_EQ(read_repr_sha(both)->sha, Sha::sha256);
}

TEST(ReprDigest, ShaOfAnotherFormIsNone) {
  EXPECT_FALSE(read_repr_sha(Headers{}));
  for (const char* value : {"", "sha-256=:AAAA:", "sha-256=5", "sha-256", "md5=:AAAA:", "=:"}) {
    EXPECT_FALSE(read_repr_sha(Headers{{"Repr-Digest", value}})) << value;
  }
}

bool holds(int status, const char* promised, std::string_view body) {
  BodyCheck check({status, {{"Repr-Digest", promised}}});
  for (char byte : body) check.update({&byte, 1});
  return check.holds();
}

TEST(BodyCheck, TheWholeIsHeldToEachDigestThatWasPromised) {
  std::string abc_xxh3 = write_repr_digest(digest128("abc"));
  std::string both = abc_xxh3 + ", " + abc_sha256;
  for (const char* promised : {abc_sha256, abc_sha512, abc_xxh3.c_str(), both.c_str()}) {
    EXPECT_TRUE(holds(200, promised, "abc")) << promised;
    EXPECT_FALSE(holds(200, promised, "abd")) << promised;
    EXPECT_FALSE(holds(200, promised, "")) << promised;
    EXPECT_TRUE(holds(206, promised, "bc")) << "a part is not what the digest is of";
  }
  EXPECT_TRUE(holds(200, "md5=:AAAA:", "abc"));
}

TEST(ReprDigest, OfAMessage) {
  Headers headers{{"repr-digest", "sha-256=:AAAA:"},
                  {"Repr-Digest", "xxh3-128=:AAAAAAAAAAAAAAAAAAAAAQ==:"}};
  EXPECT_EQ(read_repr_digest(headers), (Digest128{0, 1}));
  for (const char* value : {"", "xxh3-128", "xxh3-128=:AAAA:", "xxh3-128=\"AAAA\"", "=:"}) {
    EXPECT_EQ(read_repr_digest(Headers{{"Repr-Digest", value}}), std::nullopt) << value;
  }
  EXPECT_EQ(read_repr_digest(Headers{}), std::nullopt);
}

}  // namespace
}  // namespace relay::http
