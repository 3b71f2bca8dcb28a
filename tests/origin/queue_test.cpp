#include "origin/jobs/queue.hpp"

#include <gtest/gtest.h>

namespace relay::origin::jobs {
namespace {

using namespace std::chrono_literals;

const SteadyTime start = SteadyTime{} + 1h;

Waiting waiting(std::string asset, std::uint64_t bytes = 0,
                media::JobKind kind = media::JobKind::video) {
  Waiting made;
  made.job.kind = kind;
  made.job.tenant = "t";
  made.job.asset = std::move(asset);
  made.job.version = "v";
  made.job.source_bytes = bytes;
  return made;
}

std::string take(Queue& queue, SteadyTime now, media::JobKind kind = media::JobKind::video) {
  auto taken = queue.take(kind, now);
  return taken ? taken->job.asset : "";
}

TEST(Queue, FirstComeFirstServed) {
  Queue queue;
  EXPECT_TRUE(queue.add(waiting("a"), start));
  EXPECT_TRUE(queue.add(waiting("b"), start + 1s));
  EXPECT_EQ(take(queue, start + 2s), "a");
  EXPECT_EQ(take(queue, start + 2s), "b");
  EXPECT_EQ(take(queue, start + 2s), "");
}

TEST(Queue, AKnownJobIsNotTakenTwice) {
  Queue queue;
  EXPECT_TRUE(queue.add(waiting("a"), start));
  EXPECT_FALSE(queue.add(waiting("a"), start));
  Waiting newer = waiting("a");
  newer.job.version = "v2";
  EXPECT_TRUE(queue.add(newer, start));
  EXPECT_EQ(queue.size(), 2u);
}

TEST(Queue, PhotosDoNotWaitBehindVideos) {
  Queue queue;
  queue.add(waiting("film"), start);
  queue.add(waiting("photo", 0, media::JobKind::photo), start + 1s);
  EXPECT_EQ(take(queue, start + 1s, media::JobKind::photo), "photo");
  EXPECT_EQ(take(queue, start + 1s, media::JobKind::photo), "");
  EXPECT_EQ(take(queue, start + 1s), "film");
}

TEST(Queue, AHeavyFileGivesWayButNotForEver) {
  Queue queue;
  queue.add(waiting("film", 60 * Queue::bytes_per_s), start);
  queue.add(waiting("clip"), start + 59s);
  queue.add(waiting("late clip"), start + 61s);
  EXPECT_EQ(take(queue, start + 61s), "clip");
  EXPECT_EQ(take(queue, start + 61s), "film");
  EXPECT_EQ(take(queue, start + 61s), "late clip");
}

TEST(Queue, APauseIsWaitedFor) {
  Queue queue;
  Waiting paused = waiting("a");
  paused.not_before = start + 5s;
  queue.add(paused, start);
  EXPECT_EQ(queue.next_end_of_pause(start), start + 5s);
  EXPECT_EQ(take(queue, start + 4s), "");
  EXPECT_EQ(queue.next_end_of_pause(start + 5s), std::nullopt);
  EXPECT_EQ(take(queue, start + 5s), "a");
}

TEST(Queue, ForgetsWhatWasDeleted) {
  Queue queue;
  queue.add(waiting("a"), start);
  queue.add(waiting("b"), start);
  queue.remove("t", "a", "other");
  EXPECT_EQ(queue.size(), 2u);
  queue.remove("t", "a", "v");
  queue.remove("t", "b", "");
  EXPECT_EQ(queue.size(), 0u);
}

}  // namespace
}  // namespace relay::origin::jobs
