#include "origin/jobs/startable.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace relay::origin::jobs {
namespace {

namespace fs = std::filesystem;

bool is_executable_file(const fs::path& path) {
  std::error_code ec;
  return fs::is_regular_file(path, ec) && access(path.c_str(), X_OK) == 0;
}

bool is_in_path(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::string_view rest = path ? path : "/bin:/usr/bin";  // what posix_spawnp does without one
  while (true) {
    std::size_t end = std::min(rest.find(':'), rest.size());
    if (is_executable_file(fs::path(rest.substr(0, end)) / name)) return true;
    if (end == rest.size()) return false;
    rest.remove_prefix(end + 1);
  }
}

std::string relative_to(const std::string& program) {
  std::error_code ec;
  if (program.starts_with('/')) return "";
  return fmt::format(" (from the working directory {})", fs::current_path(ec).string());
}

std::string what_is_wrong(const std::string& program) {
  std::error_code ec;
  fs::file_status status = fs::status(program, ec);
  if (status.type() == fs::file_type::not_found) return "which does not exist";
  if (ec) return "which cannot be looked at: " + ec.message();
  if (!fs::is_regular_file(status)) return "which is not a file";
  return "which we may not execute";
}

}  // namespace

std::optional<std::string> why_not_startable(const std::string& program) {
  constexpr std::string_view allowed = "give the path of the torchrelay-transcoder program";
  if (program.empty()) return fmt::format("is empty; {}", allowed);
  if (!program.contains('/')) {
    if (is_in_path(program)) return std::nullopt;
    return fmt::format("is \"{}\", which is in no folder of PATH; {}", program, allowed);
  }
  if (is_executable_file(program)) return std::nullopt;
  return fmt::format("is \"{}\"{}, {}; {}", program, relative_to(program), what_is_wrong(program),
                     allowed);
}

}  // namespace relay::origin::jobs
