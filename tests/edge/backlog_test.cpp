// Between open and the last record read: what is taken ahead of its turn, and what is removed.
#include "edge/cache/backlog.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "edge/cache/recovery.hpp"
#include "tests/support/cache_bodies.hpp"
#include "tests/support/temporary_folder.hpp"

namespace relay::edge::cache {
namespace {

using tests::body_of;
using tests::bytes_of;
using tests::new_object;
using tests::store_now;

constexpr std::uint64_t size_bytes = 64 << 20;
constexpr int count = 400;

std::string key_of(int i) {
  return "k" + std::to_string(i);
}

std::size_t size_of(int i) {
  return static_cast<std::size_t>(i * 977 % 90'000);
}

/// Files with `count` objects, opened again, and nothing of them read yet.
struct BacklogTest : testing::Test {
  void SetUp() override {
    {
      auto cache = Cache::open({folder.path().string(), size_bytes}, metrics);
      ASSERT_TRUE(cache);
      for (int i = 0; i < count; ++i) {
        ASSERT_TRUE(store_now(**cache, new_object(key_of(i), body_of(size_of(i), i))));
      }
    }
    auto opened = Volume::open(folder.path(), size_bytes, false);
    ASSERT_TRUE(opened);
    volume = *opened;
    backlog.emplace(volume, LastStop{Trust::verify, 0}, index, steady_now());
  }
  Pin take(int i) { return backlog->take(digest128(key_of(i)), key_of(i)); }
  Pin find(int i) const { return index.find(digest128(key_of(i)), key_of(i)); }
  Recovered read_all() {
    auto recovered = recover(*volume, *backlog);
    EXPECT_TRUE(recovered);
    backlog->finish();
    return std::move(*recovered);
  }

  tests::TemporaryFolder folder;
  Metrics metrics;
  std::shared_ptr<Volume> volume;
  Index index;
  std::optional<Backlog> backlog;
};

TEST_F(BacklogTest, ReadingShowsEverything) {
  EXPECT_EQ(backlog->records(), static_cast<std::size_t>(count));
  EXPECT_FALSE(backlog->whole());
  EXPECT_EQ(read_all().bodies.size(), static_cast<std::size_t>(count));
  EXPECT_TRUE(backlog->whole());
  for (int i = 0; i < count; ++i) EXPECT_EQ(bytes_of(*find(i)), body_of(size_of(i), i)) << i;
}

TEST_F(BacklogTest, WhatIsTakenAheadIsTheBodyInTheBooks) {
  Pin pin = take(7);
  ASSERT_TRUE(pin);
  EXPECT_EQ(take(7), pin);
  EXPECT_EQ(find(7), pin);
  EXPECT_FALSE(pin->known_good()) << "nothing of it is verified yet";
  EXPECT_EQ(bytes_of(*pin), body_of(size_of(7), 7));
  Recovered recovered = read_all();
  EXPECT_EQ(find(7), pin);
  auto booked = std::ranges::find(recovered.bodies, pin->id(), [](auto& each) { return each->id; });
  ASSERT_NE(booked, recovered.bodies.end());
  EXPECT_EQ(*booked, pin->body());
}

TEST_F(BacklogTest, WhatIsNotStoredIsNotHere) {
  EXPECT_FALSE(backlog->take(digest128("/nothing"), "/nothing"));
  EXPECT_FALSE(backlog->take(digest128(key_of(1)), "/another key of this hash"));
  EXPECT_EQ(index.size(), 0u);
}

TEST_F(BacklogTest, WhatIsRemovedBeforeItsTurnIsNeverShown) {
  std::uint64_t id = take(1)->id();
  index.remove(digest128(key_of(1)), id);
  backlog->remove(digest128(key_of(2)));
  backlog->remove_if([](std::string_view key) { return key == key_of(3); });
  for (int i : {1, 2, 3}) EXPECT_FALSE(take(i)) << i;
  Recovered recovered = read_all();
  for (int i : {1, 2, 3}) EXPECT_FALSE(take(i)) << i;
  EXPECT_EQ(index.size(), count - 3u);
  // The first one's removal comes to the books by its pin.
  EXPECT_EQ(recovered.removed.size(), 2u);
  EXPECT_EQ(recovered.bodies.size(), static_cast<std::size_t>(count));
}

TEST_F(BacklogTest, WhatHadItsTurnDoesNotComeBack) {
  Pin second = take(2);
  auto revive = [&](int i) {
    Record record;
    record.id = 1'000 + static_cast<std::uint64_t>(i);
    record.key = key_of(i);
    return backlog->revive(digest128(record.key), record, 100, {});
  };
  // The turn of the last hash of all: whatever comes before it was there.
  Digest128 last{~0ull, ~0ull};
  backlog->turn_of(last, revive(0));
  EXPECT_FALSE(take(3)) << "it had its turn, and the index does not have it";
  EXPECT_EQ(take(2), second);
}

TEST_F(BacklogTest, EachIsShownOnceWhoeverComesFirst) {
  std::atomic<bool> begun = false;
  std::atomic<int> wrong = 0;
  std::vector<std::set<Pin>> seen(count);
  std::vector<std::thread> finders;
  std::mutex lock;
  for (int n = 0; n < 3; ++n) {
    finders.emplace_back([&, n] {
      begun = true;
      for (int step = 0; step < count; ++step) {
        int i = (step * 7 + n * 131) % count;
        Pin pin = take(i);
        std::lock_guard guard(lock);
        seen[static_cast<std::size_t>(i)].insert(pin);
        wrong += !pin;
      }
    });
  }
  while (!begun) std::this_thread::yield();
  Recovered recovered = read_all();
  for (auto& each : finders) each.join();
  EXPECT_EQ(wrong, 0);
  std::set<std::shared_ptr<const Body>> booked(recovered.bodies.begin(), recovered.bodies.end());
  for (int i = 0; i < count; ++i) {
    EXPECT_EQ(seen[static_cast<std::size_t>(i)], std::set<Pin>{find(i)}) << i;
    EXPECT_TRUE(booked.contains(find(i)->body())) << i;
  }
}

}  // namespace
}  // namespace relay::edge::cache
