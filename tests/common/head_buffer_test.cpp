// The block that a connection reads its heads into, and that it gives back while it is idle.
#include "common/net/head_buffer.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <deque>
#include <set>

namespace relay::net {
namespace {

bool resident(const void* at) {
  auto page = reinterpret_cast<std::uintptr_t>(at) & ~std::uintptr_t{4095};
  unsigned char state = 0;
  EXPECT_EQ(mincore(reinterpret_cast<void*>(page), 4096, &state), 0);
  return state & 1;
}

TEST(HeadBuffer, KeepsItsBytesWhenItGrows) {
  HeadBuffer buffer;
  buffer.take();
  std::memset(buffer.data(), 'a', buffer.size());
  std::size_t filled = buffer.size();
  buffer.grow(2 * filled, filled);
  EXPECT_EQ(buffer.size(), 2 * filled);
  EXPECT_EQ(std::string_view(buffer.data(), filled), std::string(filled, 'a'));
  buffer.shrink();
  EXPECT_EQ(buffer.size(), filled);
}

TEST(HeadBuffer, ManyAreApartAndGivenBackTheirMemoryGoes) {
  std::deque<HeadBuffer> all(500);
  std::set<const void*> places;
  for (HeadBuffer& each : all) {
    each.take();
    std::memset(each.data(), 'b', each.size());
    each.fields()[0].name = "name";
    places.insert(each.data());
  }
  EXPECT_EQ(places.size(), all.size());
  for (HeadBuffer& each : all) each.give_back();
  std::size_t left = 0;
  for (const void* place : places) left += resident(place);
  EXPECT_LE(left, 64u) << "only a few blocks stay warm";
}

TEST(HeadBuffer, ABlockIsTakenAgain) {
  HeadBuffer one, two;
  one.take();
  const char* place = one.data();
  one.give_back();
  EXPECT_FALSE(one.taken());
  two.take();
  EXPECT_EQ(two.data(), place);
}

}  // namespace
}  // namespace relay::net
