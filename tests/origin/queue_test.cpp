#include "origin/jobs/queue.hpp"

#include <gtest/gtest.h>

namespace relay::origin::jobs {
namespace {

using namespace std::chrono_literals;

const SteadyTime start = SteadyTime{} + 1h;

Waiting waiting(std::string asset, std::uint64_t bytes = 0,
                media::JobKind kind = media::JobKind::video, std::string tenant = "t") {
  Waiting made;
  made.job.kind = kind;
  made.job.tenant = std::move(tenant);
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

Waiting of(std::string tenant, std::string asset, std::uint64_t bytes = 0) {
  return waiting(std::move(asset), bytes, media::JobKind::video, std::move(tenant));
}

TEST(Queue, TenantsTakeTurnsAndOfOneTheFirstIsFirst) {
  Queue queue;
  for (std::string asset : {"a1", "a2", "a3"}) queue.add(of("a", asset), start);
  for (std::string asset : {"b1", "b2"}) queue.add(of("b", asset), start + 1s);
  queue.add(of("c", "c1"), start + 2s);
  std::string order;
  for (int i = 0; i < 6; ++i) order += take(queue, start + 3s) + " ";
  EXPECT_EQ(order, "a1 b1 c1 a2 b2 a3 ");
  queue.add(waiting("photo", 0, media::JobKind::photo, "a"), start + 4s);
  queue.add(waiting("photo of b", 0, media::JobKind::photo, "b"), start + 5s);
  EXPECT_EQ(take(queue, start + 6s, media::JobKind::photo), "photo")
      << "turns of a lane of its own";
}

TEST(Queue, ARunningJobMakesRoomForOthersAndForLighterOnesOfItsTenant) {
  Queue queue;
  media::Job running = of("a", "film", 1000).job;
  EXPECT_FALSE(queue.wants_room(running, start));
  queue.add(of("a", "other film", 1000), start);
  queue.add(waiting("photo", 0, media::JobKind::photo, "b"), start);
  EXPECT_FALSE(queue.wants_room(running, start));
  Waiting paused = of("b", "clip", 2000);
  paused.not_before = start + 5s;
  queue.add(paused, start);
  EXPECT_FALSE(queue.wants_room(running, start + 4s));
  EXPECT_TRUE(queue.wants_room(running, start + 5s));
  queue.remove("b", "clip", "");
  queue.add(of("a", "clip", 999), start);
  EXPECT_TRUE(queue.wants_room(running, start));
}

TEST(Queue, WhoMadeRoomComesBehindThoseItMadeRoomFor) {
  Queue queue;
  queue.add(waiting("film", 60 * Queue::bytes_per_s), start);
  auto film = queue.take(media::JobKind::video, start);
  queue.add(waiting("clip"), start + 120s);
  film->rank = {};
  queue.add(*film, start + 121s);
  EXPECT_EQ(take(queue, start + 121s), "clip");
  EXPECT_EQ(take(queue, start + 121s), "film");
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
