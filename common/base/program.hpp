// What the mains share: their arguments, and how many descriptors they may have.
//   torchrelay-NAME --config FILE [--check] | --version | --help
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"

namespace relay {

struct Arguments {
  std::string config;  // the file after --config; empty: none was given
  bool check = false;  // --check: validate the settings and stop
  std::map<std::string, std::string, std::less<>> own;  // the program's own that were given
};

/// One that a single program has, with a value: {"--where", "URL", "print who owns it and stop"}.
struct OwnOption {
  std::string_view name, value, help;
};

/// Names the program for its help, its version line and its errors.
struct Program {
  std::string_view name;     // "torchrelay-edge"
  std::string_view summary;  // one sentence for --help
  std::string_view version;  // RELAY_VERSION of the caller
  bool needs_config = true;  // false: runs on its defaults when --config is absent
  std::vector<OwnOption> own = {};
};

/// Fills `into` and returns nullopt to go on; or the exit status to stop with: 0 after --help and
/// --version (written to stdout), 2 after a wrong argument (a sentence on stderr).
std::optional<int> parse_arguments(int argc, char** argv, const Program& program, Arguments& into);

/// Prints what is wrong with the settings ("FILE:LINE:COLUMN: …") to stderr; the status is 1.
int report_settings_error(const Error& error);
/// Says on stdout that the settings are valid; the status is 0. For --check.
int report_settings_valid(const Arguments& arguments);

/// Takes all descriptors that the process may have: shells and service managers begin with few
/// (1,024) and allow many. Warns when they are fewer than the connections that it takes. After
/// log::configure().
void raise_descriptors_max(std::size_t connections_max);

}  // namespace relay
