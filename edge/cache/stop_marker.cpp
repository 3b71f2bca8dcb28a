#include "edge/cache/stop_marker.hpp"

#include <charconv>
#include <fstream>

#include "common/store/file.hpp"

namespace relay::edge::cache {
namespace {

/// Takes the first word off the text.
std::string_view take_word(std::string_view& text) {
  auto end = text.find_first_of(" \n");
  auto word = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  return word;
}

}  // namespace

LastStop judge(std::string_view marker, std::string_view boot) {
  auto how = take_word(marker), when = take_word(marker), from = take_word(marker);
  bool same_boot = !boot.empty() && when == boot;
  if (how == "running" && same_boot) return {Trust::verify, 0};
  if (how != "clean" || when.empty()) return {Trust::discard, 0};
  std::uint64_t id = 0;
  auto [end, error] = std::from_chars(from.data(), from.data() + from.size(), id);
  if (error != std::errc() || end != from.data() + from.size()) return {Trust::discard, 0};
  if (!same_boot) return {Trust::verify, 0};
  return {Trust::good, id};
}

std::string running_marker(std::string_view boot) {
  return "running " + std::string(boot) + "\n";
}

std::string clean_marker(std::string_view boot, std::uint64_t trusted_from_id) {
  // A boot without a name still has to fill its place in the line.
  return "clean " + std::string(boot.empty() ? "-" : boot) + " " + std::to_string(trusted_from_id) +
         "\n";
}

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

std::filesystem::path marker_path(const std::filesystem::path& folder) {
  return folder / "state";
}

LastStop read_marker(const std::filesystem::path& folder) {
  auto text = store::read_file(marker_path(folder));
  return judge(text ? *text : std::string(), boot_id());
}

Result<void> mark_running(const std::filesystem::path& folder) {
  return store::write_atomically(marker_path(folder), running_marker(boot_id()));
}

Result<void> mark_clean(const std::filesystem::path& folder, std::uint64_t trusted_from_id) {
  return store::write_atomically(marker_path(folder), clean_marker(boot_id(), trusted_from_id));
}

}  // namespace relay::edge::cache
