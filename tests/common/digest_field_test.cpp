#include "common/http/digest_field.hpp"

#include <gtest/gtest.h>

namespace relay::http {
namespace {

TEST(DigestField, IsReadAsWritten) {
  Digest128 digest{0x0123456789abcdef, 0xfedcba9876543210};
  std::string value = write_repr_digest(digest);
  EXPECT_EQ(value, "xxh3-128=:ASNFZ4mrze/+3LqYdlQyEA==:");
  Headers headers{{"repr-digest", value}};
  EXPECT_EQ(read_repr_digest(headers), digest);
}

TEST(DigestField, OtherAlgorithmsArePassedOver) {
  Headers headers{{"Repr-Digest", "sha-256=:AAAA:, xxh3-128=:AAAAAAAAAAAAAAAAAAAAAQ==:"}};
  EXPECT_EQ(read_repr_digest(headers), (Digest128{0, 1}));
}

TEST(DigestField, BrokenOnesAreAbsent) {
  for (const char* value : {"", "xxh3-128", "xxh3-128=:AAAA:", "xxh3-128=\"AAAA\"", "=:"}) {
    Headers headers{{"Repr-Digest", value}};
    EXPECT_EQ(read_repr_digest(headers), std::nullopt) << value;
  }
  EXPECT_EQ(read_repr_digest(Headers{}), std::nullopt);
}

}  // namespace
}  // namespace relay::http
