// One history: a fleet, an origin, viewers, operators who purge, and what goes wrong; all of it a
// function of the seed. To be lived in a process of its own, for killed programs never end.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/simulation/checks.hpp"

namespace relay::simulation {

struct Outcome {
  std::vector<std::string> failures;
  Tally tally;
};

/// `folder` is made, for the stores. With `trace` every step is told on stderr.
Outcome live(std::uint64_t seed, const std::filesystem::path& folder, bool trace);

}  // namespace relay::simulation
