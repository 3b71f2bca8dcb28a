// Lives many histories, each in a process of its own, some side by side.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/simulation/checks.hpp"

namespace relay::simulation {

struct Failure {
  std::uint64_t seed = 0;
  std::string what;  // lines
};

struct Report {
  std::uint64_t histories = 0, failed = 0;
  std::vector<Failure> failures;  // the first ones
  Tally tally;
};

struct Plan {
  std::uint64_t first_seed = 1, histories = 1;
  unsigned workers = 2;
};

Report live_all(const Plan& plan);

/// One, and how it ended.
Report live_one(std::uint64_t seed);

/// Lives one, telling every step on stderr. True: nothing was wrong.
bool live_and_trace(std::uint64_t seed);

/// What the tally says, in some lines.
std::string text_of(const Report& report);

}  // namespace relay::simulation
