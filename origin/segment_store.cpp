#include "origin/segment_store.hpp"

#include <unistd.h>

#include <chrono>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/log.hpp"
#include "origin/catalog.hpp"

namespace relay::origin {
namespace {

namespace fs = std::filesystem;

/// Entries of a folder; none when it is not there. Collected first, for they will be removed.
std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code ec;
  for (fs::directory_iterator at(folder, ec), end; !ec && at != end; at.increment(ec)) {
    found.push_back(at->path());
  }
  return found;
}

}  // namespace

Result<SegmentStore> SegmentStore::open(const fs::path& folder) {
  for (const char* name : {"incoming", "sources", "media", "trash"}) {
    if (auto made = store::make_folders(folder / name); !made) {
      return std::unexpected(made.error());
    }
  }
  return SegmentStore(folder);
}

fs::path SegmentStore::unique(std::string_view folder) {
  auto now = wall_now().time_since_epoch().count();
  return folder_ / folder /
         fmt::format("{}-{}-{}", now, ::getpid(), count_.fetch_add(1, std::memory_order_relaxed));
}

fs::path SegmentStore::incoming() {
  return unique("incoming");
}

fs::path SegmentStore::source_path(std::string_view tenant, std::string_view asset,
                                   std::string_view version) const {
  return folder_ / "sources" / tenant / asset / version;
}

fs::path SegmentStore::media_path(std::string_view tenant, std::string_view asset,
                                  std::string_view version, std::string_view object) const {
  return folder_ / "media" / tenant / asset / version / object;
}

Result<void> SegmentStore::adopt_source(const fs::path& from, std::string_view tenant,
                                        std::string_view asset, std::string_view version) {
  return store::publish(from, source_path(tenant, asset, version));
}

Result<void> SegmentStore::put_media(std::string_view tenant, std::string_view asset,
                                     std::string_view version, std::string_view object,
                                     std::string_view bytes) {
  return store::write_atomically(media_path(tenant, asset, version, object), bytes);
}

Result<void> SegmentStore::remove_source(std::string_view tenant, std::string_view asset,
                                         std::string_view version) {
  return store::remove_file(source_path(tenant, asset, version));
}

void SegmentStore::remove_released(std::string_view tenant,
                                   std::span<const Released> released) const {
  for (const Released& each : released) {
    auto removed = store::remove_file(media_path(tenant, each.asset, each.version, each.object));
    if (!removed) log::warn("a segment stays behind", {log::kv("why", removed.error().message)});
  }
}

void SegmentStore::remove_asset(std::string_view tenant, std::string_view asset) {
  discard(folder_ / "media" / tenant / asset);
  discard(folder_ / "sources" / tenant / asset);
}

void SegmentStore::discard(const fs::path& path) {
  fs::path trash = unique("trash");
  std::error_code ec;
  fs::rename(path, trash, ec);
  if (!ec) fs::remove_all(trash, ec);
  if (ec && ec != std::errc::no_such_file_or_directory) {
    log::warn("could not remove", {log::kv("path", path.string()), log::kv("why", ec.message())});
  }
}

Result<std::uint64_t> SegmentStore::free_bytes() const {
  return store::free_bytes(folder_);
}

void SegmentStore::sweep(const Catalog& catalog) {
  for (const char* folder : {"incoming", "trash"}) {
    for (const fs::path& left : entries(folder_ / folder)) {
      std::error_code ec;
      fs::remove_all(left, ec);
      log::info("removed what an earlier run left", {log::kv("path", left.string())});
    }
  }
  sweep_assets(folder_ / "sources", catalog);
  sweep_assets(folder_ / "media", catalog);
}

void SegmentStore::sweep_assets(const fs::path& root, const Catalog& catalog) {
  for (const fs::path& tenant : entries(root)) {
    for (const fs::path& asset : entries(tenant)) {
      sweep_versions(asset, tenant.filename(), asset.filename(), catalog);
    }
  }
}

void SegmentStore::sweep_versions(const fs::path& asset_folder, const std::string& tenant,
                                  const std::string& asset, const Catalog& catalog) {
  for (const fs::path& version : entries(asset_folder)) {
    auto known = catalog.version(tenant, asset, version.filename().string());
    if (!known || *known) continue;  // a catalog that can't be read removes nothing
    discard(version);
    log::info("removed what the catalog does not name", {log::kv("path", version.string())});
  }
  std::error_code ec;
  fs::remove(asset_folder, ec);  // only when empty
}

}  // namespace relay::origin
