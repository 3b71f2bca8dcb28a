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

Result<void> remove_if_there(const std::filesystem::path& folder, const std::string& why) {
  return std::filesystem::exists(folder) ? set_aside(folder, why) : Result<void>{};
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

std::uint64_t Volume::disk_bytes() const {
  std::uint64_t bytes = 0;
  for (const Shelf& shelf : shelves) bytes += shelf.disk_bytes();
  return bytes;
}

Result<bool> Volume::reopen_unusable() {
  bool any = false;
  for (ShelfName name : all_shelves) {
    if (shelf(name).env().usable()) continue;
    any = true;
    if (auto opened = shelf(name).reopen(); !opened) return std::unexpected(opened.error());
    if (name != ShelfName::small) continue;
    auto table = headers().table(objects_table);
    if (!table) {
      shelf(name).close();  // else it would be passed over next time
      return std::unexpected(table.error());
    }
    objects = *table;
  }
  return any;
}

Result<std::shared_ptr<Volume>> Volume::open(const std::filesystem::path& folder,
                                             std::uint64_t size_bytes, bool discard) {
  auto removed = remove_if_there(folder / "bulk", "it is of an older format");
  std::string why = "the system stopped before the files were synced";
  std::vector<Shelf> shelves;
  for (ShelfName shelf : all_shelves) {
    auto place = folder / name(shelf);
    if (removed && discard) removed = remove_if_there(place, why);
    if (!removed) return std::unexpected(removed.error());
    bool small = shelf == ShelfName::small;
    bool restarted = false;
    auto opened =
        open_or_restart(place, map_bytes(small ? small_share(size_bytes) : size_bytes), restarted);
    if (!opened) return std::unexpected(opened.error());
    shelves.push_back(std::move(*opened));
    if (small && restarted) {
      discard = true;
      why = "its header records are gone";
    }
  }
  auto objects = shelves.front().env().table(objects_table);
  if (!objects) return std::unexpected(objects.error());
  return std::make_shared<Volume>(std::move(shelves), *objects);
}

}  // namespace relay::edge::cache
