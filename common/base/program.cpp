#include "common/base/program.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "common/base/log.hpp"

namespace relay {
namespace {

constexpr int status_wrong_arguments = 2;

std::string own_lines(const Program& program) {
  std::string lines;
  for (const OwnOption& own : program.own) {
    lines += fmt::format("  {:<13}  {}\n", fmt::format("{} {}", own.name, own.value), own.help);
  }
  return lines;
}

void print_help(const Program& program) {
  fmt::print(
      "{}: {}\n"
      "\n"
      "  --config FILE  read the settings from FILE (TOML){}\n"
      "  --check        validate the settings and stop: 0 valid, 1 not\n"
      "{}"
      "  --version      print the version and stop\n"
      "  --help         print this and stop\n",
      program.name, program.summary, program.needs_config ? "" : "; without it the defaults hold",
      own_lines(program));
}

int refuse(const Program& program, std::string_view sentence) {
  fmt::print(stderr, "{}: {}; see {} --help\n", program.name, sentence, program.name);
  return status_wrong_arguments;
}

}  // namespace

std::optional<int> parse_arguments(int argc, char** argv, const Program& program, Arguments& into) {
  for (int i = 1; i < argc; ++i) {
    std::string_view argument = argv[i];
    auto own = std::ranges::find(program.own, argument, &OwnOption::name);
    bool is_own = own != program.own.end();
    if (argument == "--help") {
      print_help(program);
      return 0;
    } else if (argument == "--version") {
      fmt::print("{} {}\n", program.name, program.version);
      return 0;
    } else if (argument == "--check") {
      into.check = true;
    } else if (argument.starts_with("--config=")) {
      into.config = argument.substr(std::string_view("--config=").size());
    } else if (argument != "--config" && !is_own) {
      return refuse(program, fmt::format("unknown argument '{}'", argument));
    } else if (++i < argc) {
      (is_own ? into.own[std::string(argument)] : into.config) = argv[i];
    } else if (is_own) {
      return refuse(program, fmt::format("{} needs {} behind it", argument, own->value));
    } else {
      return refuse(program, "--config needs a file name behind it");
    }
  }
  if (program.needs_config && into.config.empty()) {
    return refuse(program, "--config FILE is missing");
  }
  return std::nullopt;
}

void raise_descriptors_max(std::size_t connections_max) {
  rlimit allowed{};
  getrlimit(RLIMIT_NOFILE, &allowed);
  rlimit raised{allowed.rlim_max, allowed.rlim_max};
  if (setrlimit(RLIMIT_NOFILE, &raised) != 0) {
    log::warn("the limit of descriptors cannot be raised",
              {log::kv("descriptors_max", static_cast<std::uint64_t>(allowed.rlim_cur)),
               log::kv("why", std::strerror(errno))});
    raised = allowed;
  }
  if (raised.rlim_cur > connections_max) return;
  log::warn("fewer descriptors than connections that would be taken",
            {log::kv("descriptors_max", static_cast<std::uint64_t>(raised.rlim_cur)),
             log::kv("connections_max", static_cast<std::uint64_t>(connections_max)),
             log::kv("remedy", "a higher hard limit: ulimit -Hn, LimitNOFILE= of systemd")});
}

int report_settings_error(const Error& error) {
  fmt::print(stderr, "{}\n", error.message);
  return 1;
}

int report_settings_valid(const Arguments& arguments) {
  std::string_view shown = arguments.config;
  fmt::print("{}: valid\n", shown.empty() ? "the defaults" : shown);
  return 0;
}

}  // namespace relay
