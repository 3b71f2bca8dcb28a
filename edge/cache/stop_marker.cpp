#include "edge/cache/stop_marker.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <charconv>
#include <fstream>

#include "common/base/hash.hpp"
#include "common/store/file.hpp"
#include "edge/cache/shelf.hpp"

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

LastStop judge(std::string_view marker, std::string_view boot, std::string_view files) {
  auto how = take_word(marker), when = take_word(marker), from = take_word(marker);
  auto left = take_word(marker);
  bool same_boot = !boot.empty() && when == boot;
  if (how == "running" && same_boot) return {Trust::verify, 0};
  if (how != "clean" || when.empty()) return {Trust::discard, 0};
  std::uint64_t id = 0;
  auto [end, error] = std::from_chars(from.data(), from.data() + from.size(), id);
  if (error != std::errc() || end != from.data() + from.size()) return {Trust::discard, 0};
  if (!same_boot || left.empty() || left != files) return {Trust::verify, 0};
  return {Trust::good, id};
}

std::string running_marker(std::string_view boot) {
  return "running " + std::string(boot) + "\n";
}

std::string clean_marker(std::string_view boot, std::uint64_t trusted_from_id,
                         std::string_view files) {
  // A boot without a name still has to fill its place in the line.
  return fmt::format("clean {} {} {}\n", boot.empty() ? "-" : boot, trusted_from_id, files);
}

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

std::string files_word(const std::filesystem::path& folder) {
  std::string all;
  for (ShelfName shelf : all_shelves) {
    struct stat status{};
    if (::stat(data_path(folder / name(shelf)).c_str(), &status) != 0) continue;
    for (const timespec& at : {status.st_mtim, status.st_ctim}) {
      all += fmt::format("{}.{} ", at.tv_sec, at.tv_nsec);
    }
    all += fmt::format("{} {} {}\n", name(shelf), status.st_ino, status.st_size);
  }
  return to_hex(digest128(all));
}

std::filesystem::path marker_path(const std::filesystem::path& folder) {
  return folder / "state";
}

Result<LastStop> read_marker(const std::filesystem::path& folder) {
  auto text = store::read_file(marker_path(folder));
  if (!text && text.error().kind != ErrorKind::not_found) return std::unexpected(text.error());
  return judge(text.value_or(""), boot_id(), files_word(folder));
}

Result<void> mark_running(const std::filesystem::path& folder) {
  return store::write_atomically(marker_path(folder), running_marker(boot_id()));
}

Result<void> mark_clean(const std::filesystem::path& folder, std::uint64_t trusted_from_id) {
  std::string marker = clean_marker(boot_id(), trusted_from_id, files_word(folder));
  return store::write_atomically(marker_path(folder), marker);
}

}  // namespace relay::edge::cache
