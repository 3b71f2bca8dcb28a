#include "common/base/shared_value.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace relay {
namespace {

TEST(SharedValue, IsNullUntilSomethingIsStored) {
  SharedValue<const int> value;
  EXPECT_EQ(value.load(), nullptr);
  value.store(std::make_shared<const int>(1));
  EXPECT_EQ(*value.load(), 1);
}

TEST(SharedValue, TheFirstStays) {
  SharedValue<const int> value;
  value.store_first(std::make_shared<const int>(1));
  value.store_first(std::make_shared<const int>(2));
  EXPECT_EQ(*value.load(), 1);
}

TEST(SharedValue, ASnapshotOutlivesItsSuccessor) {
  SharedValue<const int> value(std::make_shared<const int>(1));
  auto before = value.load();
  value.store(std::make_shared<const int>(2));
  EXPECT_EQ(*before, 1);
  EXPECT_EQ(before.use_count(), 1);
}

TEST(SharedValue, ReadersSeeWholeValuesInOrderWhileItChanges) {
  constexpr int last = 5000;
  SharedValue<const std::vector<int>> value(std::make_shared<const std::vector<int>>(4, 0));
  std::atomic<int> torn{0}, backwards{0};
  auto read = [&] {
    for (int seen = 0; seen != last;) {
      auto now = value.load();
      for (int each : *now) torn += each != now->front();
      backwards += now->front() < seen;
      seen = now->front();
    }
  };
  std::thread one(read), two(read);
  for (int i = 1; i <= last; ++i) value.store(std::make_shared<const std::vector<int>>(4, i));
  one.join();
  two.join();
  EXPECT_EQ(torn, 0);
  EXPECT_EQ(backwards, 0);
}

}  // namespace
}  // namespace relay
