#include "origin/jobs/try.hpp"

#include <gtest/gtest.h>
#include <signal.h>

namespace relay::origin::jobs {
namespace {

using namespace std::chrono_literals;

const TryLimits limits{.attempts_max = 3, .deadline = 2h, .memory_max = 3ull << 30};

media::JobResult result(bool ready, bool retry, std::string reason) {
  media::JobResult made;
  made.ready = ready;
  made.retry = retry;
  made.reason = std::move(reason);
  return made;
}

TEST(Try, AResultIsTheLastWord) {
  Tally tally;
  Verdict ready = judge({.result = result(true, false, "")}, tally, limits);
  EXPECT_TRUE(ready.result->ready);
  Verdict failed = judge({.result = result(false, false, "no video in it")}, tally, limits);
  EXPECT_FALSE(failed.result->ready);
  EXPECT_EQ(failed.result->reason, "no video in it");
  // A result counts although the process was killed afterwards.
  Verdict killed = judge({.result = result(true, false, ""), .signal = SIGKILL}, tally, limits);
  EXPECT_TRUE(killed.result->ready);
  EXPECT_EQ(tally.crashes, 0);
}

TEST(Try, ACrashIsTriedAgainAndThenExplained) {
  Tally tally;
  TryEnd crash{.signal = SIGSEGV};
  Verdict first = judge(crash, tally, limits);
  EXPECT_FALSE(first.result);
  EXPECT_EQ(first.pause, 1s);
  Verdict second = judge(crash, tally, limits);
  EXPECT_FALSE(second.result);
  EXPECT_EQ(second.pause, 2s);
  Verdict third = judge(crash, tally, limits);
  ASSERT_TRUE(third.result);
  EXPECT_FALSE(third.result->ready);
  EXPECT_EQ(third.result->reason,
            "the file crashed our decoder in each of 3 tries; it may be damaged");
}

TEST(Try, TheReasonNamesTheLimit) {
  TryLimits once = limits;
  once.attempts_max = 1;
  struct Row {
    TryEnd end;
    const char* reason;
  } rows[] = {
      {{.killed = KillReason::deadline, .signal = SIGKILL},
       "converting the file took longer than the limit of 2 h"},
      {{.killed = KillReason::stall, .signal = SIGKILL},
       "converting the file came to a standstill; it may be damaged"},
      {{.exit_code = media::exit_out_of_memory},
       "converting the file needs more memory than the limit of 3072 MiB"},
      {{.signal = SIGKILL}, "the system ended the conversion, perhaps for want of memory"},
      {{.signal = SIGABRT}, "the file crashed our decoder; it may be damaged"},
      {{.exit_code = 0}, "the file crashed our decoder; it may be damaged"},
  };
  for (const Row& row : rows) {
    Tally tally;
    Verdict verdict = judge(row.end, tally, once);
    ASSERT_TRUE(verdict.result) << row.reason;
    EXPECT_EQ(verdict.result->reason, row.reason);
  }
}

TEST(Try, ATranscoderThatCannotBeStartedIsNobodysFile) {
  Tally tally;
  TryEnd missing{.not_started = "no such file"};
  for (auto pause : {1s, 2s, 4s, 8s, 16s, 30s, 30s}) {
    Verdict verdict = judge(missing, tally, limits);
    EXPECT_FALSE(verdict.result);
    EXPECT_EQ(verdict.pause, pause);
    EXPECT_EQ(verdict.outage, "no such file");
  }
  for (int code : {media::exit_wrong_settings, 126, 127}) {
    Verdict verdict = judge({.exit_code = code}, tally, limits);
    EXPECT_FALSE(verdict.result) << code;
    EXPECT_FALSE(verdict.outage.empty()) << code;
  }
  EXPECT_EQ(tally.crashes, 0);
  judge({.signal = SIGSEGV}, tally, limits);
  EXPECT_EQ(judge(missing, tally, limits).pause, 1s) << "it was there meanwhile";
}

TEST(Try, TheEndOfATurnCountsForNothing) {
  Tally tally{.crashes = 2};
  Verdict verdict = judge({.killed = KillReason::turn, .signal = SIGKILL}, tally, limits);
  EXPECT_FALSE(verdict.result);
  EXPECT_EQ(verdict.pause, 0s);
  EXPECT_EQ(tally.crashes, 2);
  EXPECT_EQ(tally.setbacks, 0);
}

TEST(Try, ASetbackIsNotTheFilesFault) {
  Tally tally;
  TryEnd full{.result = result(false, true, "the origin's storage is full")};
  EXPECT_EQ(judge(full, tally, limits).pause, 2s);
  EXPECT_EQ(judge(full, tally, limits).pause, 4s);
  TryEnd unsent{.exit_code = media::exit_cannot_publish};
  EXPECT_EQ(judge(unsent, tally, limits).pause, 8s);
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(judge(full, tally, limits).result);
  EXPECT_EQ(judge(full, tally, limits).pause, 60s);
  EXPECT_EQ(tally.crashes, 0);
  tally.setbacks = setbacks_max - 1;
  EXPECT_EQ(judge(full, tally, limits).result->reason, "the origin's storage is full");
}

}  // namespace
}  // namespace relay::origin::jobs
