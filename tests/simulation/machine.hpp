// A machine of the world: one process of the edge's own program, its clock and its disk.
#pragma once

#include <filesystem>
#include <string>

#include "tests/simulation/clock.hpp"

namespace relay::simulation {

/// One run of the program on a machine. A killed one stays for good, with its threads asleep.
struct Process {
  std::string name;
  int host = 0;         // of the network
  Time wall_offset{0};  // its clock against the world's
  bool alive = true;    // false: killed, or ended by itself
  bool paused = false;  // SIGSTOP
  bool disk_full = false;
  bool may_run() const { return alive && !paused; }
};

}  // namespace relay::simulation
