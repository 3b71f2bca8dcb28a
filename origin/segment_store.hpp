// The bytes of everything that the catalog names, as files under one folder:
//   incoming/…                              uploads on their way; swept at start
//   sources/{tenant}/{asset}/{version}      what broadcasters sent
//   media/{tenant}/{asset}/{version}/…      what transcoders made
//   trash/…                                 deleted, waiting to be unlinked
// A file is whole and synced before it gets its name; the catalog names it only after that. So a
// crash leaves files that nobody names, never names without files; sweep() drops the former.
//
// Thread-safe; every member but the path functions waits for the disk: use the blocking pool.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "common/base/error.hpp"
#include "common/store/file.hpp"

namespace relay::origin {

class Catalog;
struct Released;

class SegmentStore {
 public:
  static Result<SegmentStore> open(const std::filesystem::path& folder);
  SegmentStore(SegmentStore&& other) noexcept : folder_(std::move(other.folder_)) {}

  /// A name in incoming/ that nobody else has.
  std::filesystem::path incoming();
  std::filesystem::path source_path(std::string_view tenant, std::string_view asset,
                                    std::string_view version) const;
  std::filesystem::path media_path(std::string_view tenant, std::string_view asset,
                                   std::string_view version, std::string_view object) const;

  /// A synced file from incoming/ becomes a version's source.
  Result<void> adopt_source(const std::filesystem::path& from, std::string_view tenant,
                            std::string_view asset, std::string_view version);
  /// Stored durably at return.
  Result<void> put_media(std::string_view tenant, std::string_view asset, std::string_view version,
                         std::string_view object, std::string_view bytes);
  Result<void> remove_source(std::string_view tenant, std::string_view asset,
                             std::string_view version);
  /// Files that nothing names any more; one that cannot be removed is logged.
  void remove_released(std::string_view tenant, std::span<const Released> released) const;
  /// Out of reach at once, unlinked after; open descriptors stay readable.
  void remove_asset(std::string_view tenant, std::string_view asset);

  Result<std::uint64_t> free_bytes() const;
  /// At start, before anything else runs: what the catalog does not name goes.
  void sweep(const Catalog& catalog);

 private:
  explicit SegmentStore(std::filesystem::path folder) : folder_(std::move(folder)) {}
  void discard(const std::filesystem::path& path);
  void sweep_assets(const std::filesystem::path& root, const Catalog& catalog);
  void sweep_versions(const std::filesystem::path& asset_folder, const std::string& tenant,
                      const std::string& asset, const Catalog& catalog);
  std::filesystem::path unique(std::string_view folder);

  std::filesystem::path folder_;
  std::atomic<std::uint64_t> count_{0};
};

}  // namespace relay::origin
