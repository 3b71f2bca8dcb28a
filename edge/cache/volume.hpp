// Everything that the cache keeps on disk: the shelves of bodies and the table of header records.
// Held by every body, so that its map and its descriptor outlive the last pin.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "edge/cache/shelf.hpp"

namespace relay::edge::cache {

struct Volume {
  std::vector<Shelf> shelves;  // in the order of their names
  store::Table objects;        // header records, in the small one's environment

  Shelf& shelf(ShelfName name) { return shelves[static_cast<std::size_t>(name)]; }
  const Shelf& shelf(ShelfName name) const { return shelves[static_cast<std::size_t>(name)]; }
  store::Env& headers() { return shelf(ShelfName::small).env(); }

  /// Opens those anew that LMDB has given up, under the bodies that are held. Nobody else is
  /// inside. True when there were any; after an error they are closed, and may be tried again.
  Result<bool> reopen_unusable();
  /// Bytes that the files take on disk, holes left out.
  std::uint64_t disk_bytes() const;

  /// A damaged environment is set aside: deleted with a warning and started empty. Without the
  /// small one nothing says what lies in the others, so all go then. `discard`: all go at once.
  static Result<std::shared_ptr<Volume>> open(const std::filesystem::path& folder,
                                              std::uint64_t size_bytes, bool discard);
};

}  // namespace relay::edge::cache
