#include "common/base/hash.hpp"

#include <gtest/gtest.h>

namespace relay {
namespace {

TEST(Hash, KnownAnswers) {
  // XXH3 of the empty input, as its specification has it.
  EXPECT_EQ(hash64(""), 0x2d06800538d394c2u);
  EXPECT_EQ(to_hex(digest128("")), "99aa06d3014798d86001c324468d497f");
  EXPECT_NE(hash64("a"), hash64("a", 1));
}

TEST(Hash, AStreamGivesTheDigestOfTheWholeHoweverItIsCut) {
  std::string body;
  for (int i = 0; i < 5000; ++i) body += static_cast<char>(i * 7);
  for (std::size_t piece : {1, 7, 240, 256, 1024, 4999, 5000}) {
    DigestStream stream;
    for (std::size_t at = 0; at < body.size(); at += piece) {
      stream.update(std::string_view(body).substr(at, piece));
    }
    EXPECT_EQ(stream.digest(), digest128(body)) << "pieces of " << piece;
  }
}

TEST(Hash, AStreamMayBeAskedOnTheWayAndMoved) {
  DigestStream stream;
  stream.update("ab");
  EXPECT_EQ(stream.digest(), digest128("ab"));
  DigestStream moved = std::move(stream);
  moved.update("c");
  EXPECT_EQ(moved.digest(), digest128("abc"));
}

TEST(Hash, HexHasOneSpelling) {
  Digest128 digest{0x0123456789abcdef, 0x00000000000000ff};
  EXPECT_EQ(to_hex(digest), "0123456789abcdef00000000000000ff");
  EXPECT_EQ(digest_from_hex("0123456789abcdef00000000000000ff"), digest);
  for (std::string_view wrong :
       {"", "0123456789ABCDEF00000000000000ff", "0123456789abcdef00000000000000f",
        "0123456789abcdef00000000000000fff", "0x23456789abcdef00000000000000ffa",
        "0123456789abcdef+0000000000000ff"}) {
    EXPECT_EQ(digest_from_hex(wrong), std::nullopt) << wrong;
  }
}

}  // namespace
}  // namespace relay
