// Everything that the cache keeps on disk: two shelves of bodies and the table of header records.
// Held by every body, so that its map and its descriptor outlive the last pin.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "edge/cache/shelf.hpp"

namespace relay::edge::cache {

struct Volume {
  Shelf small;
  Shelf bulk;
  store::Table objects;  // header records, in small's environment

  Shelf& shelf(ShelfName name) { return name == ShelfName::small ? small : bulk; }
  const Shelf& shelf(ShelfName name) const { return name == ShelfName::small ? small : bulk; }
  store::Env& headers() { return small.env(); }

  /// A damaged environment is set aside: deleted with a warning and started empty. Without the
  /// small one nothing says what lies in bulk, so both go then. `discard`: both go at once.
  static Result<std::shared_ptr<Volume>> open(const std::filesystem::path& folder,
                                              std::uint64_t size_bytes, bool discard);
};

}  // namespace relay::edge::cache
