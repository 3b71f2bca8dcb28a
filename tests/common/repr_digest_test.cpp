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
