// The fleet, simulated: true edges in a world that repeats (tests/simulation/history).
//
//   simulation_fleet_test                          all histories
//   simulation_fleet_test --seed N --trace         one, told step by step
//   simulation_fleet_test --histories N [--first N]
#include <gtest/gtest.h>
#include <sys/personality.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>

#include "tests/simulation/runner.hpp"

#include "common/base/sanitizers.hpp"

namespace relay::simulation {
namespace {

constexpr std::uint64_t histories_usual = address_sanitized ? 500 : 10'000;

Plan plan{.first_seed = 1,
          .histories = histories_usual,
          .workers = std::max(2u, std::thread::hardware_concurrency())};
const char* program = "";

TEST(Fleet, KeepsItsPromisesInEveryHistory) {
  Report report = live_all(plan);
  std::fputs(text_of(report).c_str(), stdout);
  EXPECT_EQ(report.histories, plan.histories);
  EXPECT_EQ(report.failed, 0u);
  for (const Failure& each : report.failures) {
    ADD_FAILURE() << each.what << "  again: " << program << " --seed " << each.seed << " --trace";
  }
}

TEST(Fleet, LivesTheSameHistoryAgain) {
  for (std::uint64_t seed : {3, 14, 15, 92}) {
    Report once = live_one(seed), again = live_one(seed);
    EXPECT_GT(once.tally.turns, 0u);
    EXPECT_EQ(once.tally, again.tally) << "seed " << seed;
  }
}

/// Checks of a world in which nothing happens by itself.
class FleetChecks : public testing::Test {
 protected:
  Answer answer_of(int thing, int version) {
    return {.end = Answer::End::whole, .status = 200, .body = content.body(thing, version)};
  }
  void expect_failure(std::string_view beginning) {
    ASSERT_EQ(checks.failures().size(), 1u);
    EXPECT_NE(checks.failures().front().find(beginning), std::string::npos)
        << checks.failures().front();
  }
  Schedule schedule{Random(1)};
  Content content{Random(1)};
  Checks checks{schedule, content};
};

TEST_F(FleetChecks, FindNothingWrongWithAWholeAnswer) {
  checks.on_fetch({.host = 1, .thing = 0, .version = 1});
  checks.on_answer(1, 0, answer_of(0, 1));
  EXPECT_TRUE(checks.failures().empty());
}

TEST_F(FleetChecks, NoticeOneWrongByte) {
  Answer answer = answer_of(0, 1);
  answer.body.back() = static_cast<char>(answer.body.back() ^ 1);
  checks.on_answer(1, 0, answer);
  expect_failure("invariant 1");
}

TEST_F(FleetChecks, NoticeAMissingEndThatIsCalledWhole) {
  Answer answer = answer_of(0, 1);
  answer.body.pop_back();
  checks.on_answer(1, 0, answer);
  expect_failure("invariant 1");
}

TEST_F(FleetChecks, NoticeASecondFetch) {
  checks.on_fetch({.host = 1, .thing = 0, .version = 1});
  checks.on_fetch({.host = 2, .thing = 0, .version = 1});
  expect_failure("invariant 3");
}

TEST_F(FleetChecks, NoticeWhatWasPurged) {
  content.things()[0].version = 2;
  auto purge = checks.note(PurgeDone{.things = {{0, 2}}});
  checks.on_answer(1, 0, answer_of(0, 1));
  EXPECT_TRUE(checks.failures().empty()) << "not acknowledged yet";
  checks.acknowledge(purge);
  checks.on_answer(1, 0, answer_of(0, 2));
  EXPECT_TRUE(checks.failures().empty());
  checks.on_answer(1, 0, answer_of(0, 1));
  expect_failure("invariant 4");
}

TEST_F(FleetChecks, NoticeAStoreThatIsTooLarge) {
  Answer answer{.end = Answer::End::whole, .status = 200};
  answer.body = R"({"reading":false,"stored_bytes":9,"graveyard_bytes":2,"size_bytes":10})";
  checks.on_store(1, answer);
  expect_failure("invariant 5");
}

TEST_F(FleetChecks, NoticeAnErrorThatNothingExcuses) {
  Answer answer{.end = Answer::End::whole, .status = 502};
  checks.note({.what = "pause", .host = 2});
  checks.on_answer(2, 0, answer);
  EXPECT_TRUE(checks.failures().empty()) << "of an edge that was disturbed";
  checks.on_answer(1, 0, answer);
  expect_failure("no answer");
}

TEST_F(FleetChecks, ExcuseASlicedBodyOfAVersionThatIsNoMore) {
  content.things()[0] = {.path = "/a", .bytes = 200'000};
  content.things()[0].version = 2;
  Answer answer = answer_of(0, 1);
  answer.end = Answer::End::broken;
  answer.body.resize(100'000);
  checks.set_slices(32 << 10);
  checks.on_answer(1, 0, answer);
  EXPECT_TRUE(checks.failures().empty());
  checks.set_slices(64 << 10);
  checks.on_answer(1, 0, answer);
  expect_failure("no answer");
}

TEST_F(FleetChecks, DoNotExcuseASlicedBodyThatTheOriginStillHas) {
  content.things()[0] = {.path = "/a", .bytes = 200'000};
  Answer answer = answer_of(0, 1);
  answer.end = Answer::End::broken;
  answer.body.resize(100'000);
  checks.set_slices(32 << 10);
  checks.on_answer(1, 0, answer);
  expect_failure("no answer");
}

/// Where memory lies must not be a matter of chance.
void lie_where_always(char** argv) {
  int before = ::personality(0xffffffff);
  if (before == -1 || before & ADDR_NO_RANDOMIZE) return;
  if (::personality(static_cast<unsigned long>(before | ADDR_NO_RANDOMIZE)) == -1) return;
  ::setenv("LD_BIND_NOW", "1", 1);  // once, and not in each history
  ::execv("/proc/self/exe", argv);
}

}  // namespace
}  // namespace relay::simulation

int main(int argc, char** argv) {
  using namespace relay::simulation;
  lie_where_always(argv);
  testing::InitGoogleTest(&argc, argv);
  program = argv[0];
  bool trace = false;
  for (int i = 1; i < argc; ++i) {
    std::string_view option = argv[i];
    auto value = [&] { return i + 1 < argc ? std::strtoull(argv[++i], nullptr, 10) : 0; };
    if (option == "--seed") plan = {.first_seed = value(), .histories = 1, .workers = 1};
    if (option == "--first") plan.first_seed = value();
    if (option == "--histories") plan.histories = value();
    if (option == "--workers") plan.workers = static_cast<unsigned>(value());
    if (option == "--trace") trace = true;
  }
  if (trace) return live_and_trace(plan.first_seed) ? 0 : 1;
  return RUN_ALL_TESTS();
}
