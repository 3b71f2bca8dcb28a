// The chunked coding: whole, cut anywhere, and broken in every way.
#include "common/http/chunked.hpp"

#include <gtest/gtest.h>

#include <string>

#include "common/base/limits.hpp"

namespace relay::http {
namespace {

struct Outcome {
  std::string payload;
  std::string rest;
  bool done = false;
  bool broken = false;
};

/// Feeds pieces of `step` bytes.
Outcome read_in_pieces(std::string_view bytes, std::size_t piece) {
  ChunkedReader reader;
  Outcome outcome;
  std::size_t begin = 0, end = 0;
  while (!reader.done() && !reader.broken()) {
    if (begin == end && end == bytes.size()) break;
    if (begin == end) end = std::min(bytes.size(), end + piece);
    auto step = reader.read(bytes.substr(begin, end - begin));
    outcome.payload += step.payload;
    begin += step.consumed;
    if (step.consumed == 0 && !reader.done() && !reader.broken()) ADD_FAILURE() << "no progress";
  }
  outcome.rest = bytes.substr(begin);
  outcome.done = reader.done();
  outcome.broken = reader.broken();
  return outcome;
}

TEST(Chunked, ReadsHoweverItIsCut) {
  std::string bytes =
      "5\r\nhello\r\n001A;name=\"v;x\"\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nX-Sum: 1\r\n\r\nnext";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    Outcome outcome = read_in_pieces(bytes, piece);
    EXPECT_TRUE(outcome.done) << piece;
    EXPECT_EQ(outcome.payload, "helloabcdefghijklmnopqrstuvwxyz") << piece;
    EXPECT_TRUE(std::string_view(bytes).ends_with(outcome.rest) && outcome.rest.size() <= 4);
  }
  EXPECT_EQ(read_in_pieces(bytes, bytes.size()).rest, "next");
}

TEST(Chunked, EmptyBody) {
  Outcome outcome = read_in_pieces("0\r\n\r\n", 100);
  EXPECT_TRUE(outcome.done);
  EXPECT_EQ(outcome.payload, "");
}

TEST(Chunked, CutShortIsNeitherDoneNorBroken) {
  for (std::string_view bytes :
       {"", "5", "5\r\nhel", "5\r\nhello", "5\r\nhello\r\n0\r\n", "ffffffffffffffff\r\nabc"}) {
    Outcome outcome = read_in_pieces(bytes, 100);
    EXPECT_FALSE(outcome.done || outcome.broken) << bytes;
  }
}

TEST(Chunked, Broken) {
  const std::string cases[] = {
      "\r\n",
      ";a\r\n",
      "g\r\n",
      "0x5\r\nhello\r\n",
      "-5\r\n",
      "+5\r\n",
      " 5\r\n",
      "5 \r\n",
      "5\nhello\n",
      "5\r\rhello",
      "5\r\nhello!\r\n",
      "5\r\nhello\n0\r\n\r\n",
      "5\r\nhelloX\n",
      "5\r\nhello\rX",
      "10000000000000000\r\n",
      "00000000000000005\r\nhello",
      "5;a\nhello",
      "5;a=\x01\r\n",
      "0\r\nno colon\r\n\r\n",
      "0\r\n: x\r\n\r\n",
      "0\r\n folded: x\r\n\r\n",
      "0\r\na: b\n\r\n",
      "0\r\nContent-Length: 5\r\n\r\n",
      "0\r\na: b\r\ntransfer-encoding: chunked\r\n\r\n",
      "0\r\nHOST: h\r\n\r\n",
      "0\r\na: \rb\r\n\r\n",
      std::string("0\r\na: \0\r\n\r\n", 11),
      "5;" + std::string(limits::chunk_line_bytes_max + 1, 'a'),
      "0\r\na: " + std::string(limits::chunk_line_bytes_max, 'a'),
  };
  for (const std::string& bytes : cases) {
    EXPECT_TRUE(read_in_pieces(bytes, bytes.size()).broken) << bytes.substr(0, 40);
    EXPECT_TRUE(read_in_pieces(bytes, 1).broken) << bytes.substr(0, 40);
  }
}

TEST(Chunked, TrailersWithNamesLikeThoseOfFramingAreTrailers) {
  for (std::string_view name : {"Hos", "Hosts", "Content-Lengths", "Transfer-Encoding-Of-Old"}) {
    std::string bytes = "0\r\n" + std::string(name) + ": x\r\n\r\n";
    EXPECT_TRUE(read_in_pieces(bytes, bytes.size()).done) << name;
    EXPECT_TRUE(read_in_pieces(bytes, 1).done) << name;
  }
}

TEST(Chunked, TrailersTogetherHaveALimit) {
  std::string bytes = "0\r\n";
  while (bytes.size() < limits::chunk_line_bytes_max + 100) bytes += "abc: def\r\n";
  EXPECT_TRUE(read_in_pieces(bytes + "\r\n", 1000).broken);
}

}  // namespace
}  // namespace relay::http
