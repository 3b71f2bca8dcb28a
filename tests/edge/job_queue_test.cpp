// What waits for the store thread, within a budget of bytes that is given back whole.
#include "edge/cache/job_queue.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace relay::edge::cache {
namespace {

using namespace std::chrono_literals;

NewObject object_with_head(std::size_t head_bytes) {
  return NewObject{"key", std::string(head_bytes, 'h'), {}, 0, {}};
}

TEST(JobQueue, GivesBackWhatItTookEvenWhenTheObjectWasTakenApart) {
  JobQueue queue(4000);
  for (int i = 0; i < 10; ++i) {
    queue.push_store({}, object_with_head(400), nullptr);
    for (const auto& job : queue.take(1 << 20, 0ms)) {
      auto& store = std::get<StoreJob>(*job);
      EXPECT_FALSE(store.refused) << i;
      std::string taken = std::move(store.object.head);
    }
    queue.release();
  }
}

TEST(JobQueue, RefusesWhatIsOverItsBudget) {
  JobQueue queue(4000);
  for (int i = 0; i < 3; ++i) queue.push_store({}, object_with_head(400), nullptr);
  const auto& jobs = queue.take(1 << 20, 0ms);
  ASSERT_EQ(jobs.size(), 3u);
  EXPECT_FALSE(std::get<StoreJob>(*jobs[1]).refused);
  EXPECT_TRUE(std::get<StoreJob>(*jobs[2]).refused);
}

TEST(JobQueue, TellsWhatIsBeingStoredUntilItIsReleased) {
  JobQueue queue(4000);
  Digest128 hash = digest128(std::string_view("key")), other = digest128(std::string_view("other"));
  for (int i = 0; i < 2; ++i) queue.push_store(hash, object_with_head(400), nullptr);
  queue.push_store(other, object_with_head(4000), nullptr);  // refused
  EXPECT_TRUE(queue.stores(hash));
  EXPECT_FALSE(queue.stores(other));
  queue.take(1, 0ms);  // the first
  EXPECT_TRUE(queue.stores(hash));
  queue.release();
  EXPECT_TRUE(queue.stores(hash)) << "the second waits";
  queue.answer(std::get<StoreJob>(*queue.take(1 << 20, 0ms).front()), true);
  EXPECT_FALSE(queue.stores(hash)) << "though its round goes on";
  queue.release();
}

TEST(JobQueue, WhatIsDroppedIsNotWaitedFor) {
  JobQueue queue(4000);
  Digest128 hash = digest128(std::string_view("key"));
  queue.push_store(hash, object_with_head(400), nullptr);
  queue.drop([](std::string_view key) { return key == "key"; });
  EXPECT_FALSE(queue.stores(hash));
  queue.take(1 << 20, 0ms);
  queue.release();
  EXPECT_FALSE(queue.stores(hash));
}

// With an hour to gather in, take() ends only because of what the test does.
TEST(JobQueue, ObjectsWaitForCompanyUntilARemovalComes) {
  JobQueue queue(1 << 20, 1h);
  queue.push_store({}, object_with_head(400), nullptr);
  std::jthread others([&] {
    queue.push_store({}, object_with_head(400), nullptr);
    queue.push(RemoveJob{});
  });
  EXPECT_EQ(queue.take(1 << 20, 1h).size(), 3u);
}

TEST(JobQueue, EnoughBytesWaitForNothingMore) {
  JobQueue queue(64 << 20, 1h);
  queue.push_store({}, object_with_head(JobQueue::gather_bytes), nullptr);
  EXPECT_EQ(queue.take(64 << 20, 1h).size(), 1u);
}

TEST(JobQueue, AStopEndsTheGathering) {
  JobQueue queue(1 << 20, 1h);
  queue.push_store({}, object_with_head(400), nullptr);
  std::jthread stopper([&] { queue.stop(); });
  EXPECT_EQ(queue.take(1 << 20, 1h).size(), 1u);
}

}  // namespace
}  // namespace relay::edge::cache
