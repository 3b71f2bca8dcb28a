// One asset as one MP4, put together while it is sent (origin/download/plan): sample tables in
// memory, bytes out of the segments' files by sendfile.
#pragma once

#include <cstdint>
#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/media/media_path.hpp"
#include "common/net/blocking.hpp"
#include "common/net/handler.hpp"
#include "origin/catalog.hpp"
#include "origin/download/plan.hpp"
#include "origin/segment_store.hpp"

namespace relay::origin {

class Downloads {
 public:
  /// All outlive it.
  Downloads(const Catalog& catalog, const SegmentStore& store, net::Blocking& blocking)
      : catalog_(catalog), store_(store), blocking_(blocking) {}

  /// GET or HEAD of a path of kind download; "?rendition=v720" asks for another picture than the
  /// best. Any thread.
  net::Task<void> answer(net::Exchange& exchange, media::MediaPath path);

 private:
  struct File {
    std::string key;  // tenant/asset/version/rendition
    download::Plan plan;
    std::vector<std::filesystem::path> files;
    std::string entity_tag;
    WallTime modified{};
    std::uint64_t memory_bytes() const;
  };
  using Shared = std::shared_ptr<const File>;
  net::Task<Result<Shared>> find(std::string tenant, std::string asset, std::string version,
                                 std::string rendition);
  /// On the blocking pool.
  Result<Shared> make(const std::string& tenant, const std::string& asset,
                      const std::string& version, const std::string& rendition) const;
  /// Of a clip: no more than what was asked for.
  Result<download::Shown> shown_of(const std::string& tenant, const std::string& asset,
                                   const std::string& version) const;
  Result<download::Track> read_track(const std::string& tenant, const std::string& asset,
                                     const std::string& version, const std::string& rendition,
                                     File& file) const;
  Shared known(const std::string& key);
  void remember(Shared file);
  static net::Task<void> send(net::Exchange& exchange, const File& file, std::uint64_t first,
                              std::uint64_t length);

  const Catalog& catalog_;
  const SegmentStore& store_;
  net::Blocking& blocking_;
  std::mutex mutex_;        // guards kept_
  std::list<Shared> kept_;  // asked for last, the newest first: ranges of one file come in a row
};

}  // namespace relay::origin
