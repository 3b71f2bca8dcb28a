// What a session reads its heads into.
#include "common/net/head_buffer.hpp"

#include <gtest/gtest.h>

#include <string>

namespace relay::net {
namespace {

TEST(HeadBuffer, KeepsItsBytesWhenItGrows) {
  HeadBuffer buffer;
  std::memset(buffer.data(), 'a', buffer.size());
  std::size_t filled = buffer.size();
  buffer.grow(2 * filled, filled);
  EXPECT_EQ(buffer.size(), 2 * filled);
  EXPECT_EQ(std::string_view(buffer.data(), filled), std::string(filled, 'a'));
  buffer.shrink();
  EXPECT_EQ(buffer.size(), filled);
}

}  // namespace
}  // namespace relay::net
