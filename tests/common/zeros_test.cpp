// Large arrays that are given by and by.
#include "common/base/zeros.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace relay {
namespace {

TEST(Zeros, AreZerosUntilWritten) {
  Zeros<std::uint32_t> zeros(100'000);
  EXPECT_EQ(std::ranges::count(zeros, 0u), 100'000);
  zeros[99'999] = 7;
  EXPECT_EQ(zeros[99'999], 7u);
  EXPECT_EQ(zeros[99'998], 0u);
}

/// A block of this size comes from the kernel for itself, whatever was allocated before.
TEST(Zeros, TakeNoMemoryUntilTouched) {
  constexpr std::size_t bytes = 256 << 20;
  Zeros<char> zeros(bytes);
  auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  auto first = (reinterpret_cast<std::uintptr_t>(zeros.begin()) + page - 1) & ~(page - 1);
  std::vector<unsigned char> there(bytes / page - 1);
  ASSERT_EQ(::mincore(reinterpret_cast<void*>(first), there.size() * page, there.data()), 0);
  auto resident = std::ranges::count_if(there, [](unsigned char page) { return page & 1; });
  EXPECT_LT(resident, 1024);
}

}  // namespace
}  // namespace relay
