// One asset as one MP4, put together while it is sent (origin/download/plan): sample tables in
// memory, bytes out of the segments' files by sendfile.
#pragma once

#include <cstdint>
#include <string>

#include "common/media/media_path.hpp"
#include "common/net/blocking.hpp"
#include "common/net/handler.hpp"
#include "origin/catalog.hpp"
#include "origin/download_shelf.hpp"
#include "origin/segment_store.hpp"

namespace relay::origin {

class Downloads {
 public:
  /// All outlive it.
  Downloads(const Catalog& catalog, const SegmentStore& store, net::Blocking& blocking)
      : catalog_(catalog), store_(store), shelf_(blocking) {}

  /// GET or HEAD of a path of kind download; "?rendition=v720" asks for another picture than the
  /// best. Any thread.
  net::Task<void> answer(net::Exchange& exchange, media::MediaPath path);

 private:
  using Shared = DownloadShelf::Shared;
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
                                     DownloadFile& file) const;
  static net::Task<void> send(net::Exchange& exchange, const DownloadFile& file,
                              std::uint64_t first, std::uint64_t length);

  const Catalog& catalog_;
  const SegmentStore& store_;
  DownloadShelf shelf_;
};

}  // namespace relay::origin
