// The blocks that connections live in while they are busy, and give back while they are idle.
#include "common/net/block_pool.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <set>
#include <vector>

namespace relay::net {
namespace {

bool resident(void* at) {
  unsigned char state = 0;
  EXPECT_EQ(mincore(at, 4096, &state), 0);
  return state & 1;
}

TEST(BlockPool, ManyAreApartAndGivenBackTheirMemoryGoes) {
  BlockPool pool;
  std::vector<void*> all(500);
  for (void*& each : all) std::memset(each = pool.take(), 'b', BlockPool::block_bytes);
  EXPECT_EQ(std::set<void*>(all.begin(), all.end()).size(), all.size());
  for (void* each : all) pool.give_back(each);
  std::size_t left = 0;
  for (void* each : all) left += resident(each);
  EXPECT_LE(left, 64u) << "only a few blocks stay warm";
}

TEST(BlockPool, ABlockIsTakenAgain) {
  BlockPool pool;
  void* one = pool.take();
  pool.give_back(one);
  EXPECT_EQ(pool.take(), one);
}

}  // namespace
}  // namespace relay::net
