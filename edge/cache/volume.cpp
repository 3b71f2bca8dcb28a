#include "edge/cache/volume.hpp"

#include "common/base/log.hpp"
#include "edge/cache/budget.hpp"

namespace relay::edge::cache {
namespace {

/// Pages freed by a transaction are used again from the second one after it on, and the free list
/// and the trees need some: 15 % and three of the largest transactions beside the payload.
std::uint64_t map_bytes(std::uint64_t payload_bytes) {
  constexpr std::uint64_t headroom_bytes = 96 << 20;
  return payload_bytes + payload_bytes / 100 * 15 + headroom_bytes;
}

Result<void> set_aside(const std::filesystem::path& folder, const std::string& why) {
  log::warn("cache files set aside", {kv("path", folder.string()), kv("why", why)});
  std::error_code error;
  std::filesystem::remove_all(folder, error);
  if (error) {
    return std::unexpected(disk_error("cannot remove " + folder.string(), error.value()));
  }
  return {};
}

Result<Shelf> open_or_restart(const std::filesystem::path& folder, std::uint64_t bytes,
                              bool& restarted) {
  auto shelf = Shelf::open(folder, bytes);
  if (shelf || shelf.error().kind != ErrorKind::corrupt) return shelf;
  auto removed = set_aside(folder, shelf.error().message);
  if (!removed) return std::unexpected(removed.error());
  restarted = true;
  return Shelf::open(folder, bytes);
}

}  // namespace

Result<std::shared_ptr<Volume>> Volume::open(const std::filesystem::path& folder,
                                             std::uint64_t size_bytes, bool discard) {
  auto small_folder = folder / "small", bulk_folder = folder / "bulk";
  if (discard) {
    for (const auto& each : {small_folder, bulk_folder}) {
      if (!std::filesystem::exists(each)) continue;
      auto removed = set_aside(each, "the system stopped before the files were synced");
      if (!removed) return std::unexpected(removed.error());
    }
  }
  bool restarted = false;
  auto small = open_or_restart(small_folder, map_bytes(small_share(size_bytes)), restarted);
  if (!small) return std::unexpected(small.error());
  if (restarted && std::filesystem::exists(bulk_folder)) {
    auto removed = set_aside(bulk_folder, "its header records are gone");
    if (!removed) return std::unexpected(removed.error());
  }
  auto bulk = open_or_restart(bulk_folder, map_bytes(size_bytes), restarted);
  if (!bulk) return std::unexpected(bulk.error());
  auto objects = small->env().table("objects");
  if (!objects) return std::unexpected(objects.error());
  return std::make_shared<Volume>(std::move(*small), std::move(*bulk), *objects);
}

}  // namespace relay::edge::cache
