#include "edge/cache/round.hpp"

#include <cstring>

#include "common/base/check.hpp"

namespace relay::edge::cache {
namespace {

/// Reads a body that came in chunks of one size in pieces of another.
class ChunkReader {
 public:
  explicit ChunkReader(const std::vector<ChunkPtr>& chunks) : chunks_(chunks) {}
  void read(char* into, std::size_t bytes) {
    while (bytes > 0) {
      std::string_view rest = chunks_[number_]->view().substr(within_);
      std::size_t n = rest.copy(into, bytes);
      into += n;
      bytes -= n;
      within_ += n;
      if (n == rest.size()) within_ = 0, ++number_;
    }
  }

 private:
  const std::vector<ChunkPtr>& chunks_;
  std::size_t number_ = 0, within_ = 0;
};

Result<void> put_chunk(Pen& pen, store::Table bodies, const Body& body, std::size_t number,
                       ChunkReader& reader) {
  std::size_t room = value_size(body.bytes, number);
  auto txn = pen.txn(room);
  if (!txn) return std::unexpected(txn.error());
  auto key = chunk_key(body.id, static_cast<std::uint32_t>(number));
  auto value = (*txn)->reserve(bodies, view(key), room);
  if (!value) return std::unexpected(value.error());
  std::size_t bytes = chunk_size(body.bytes, number);
  reader.read(*value, bytes);
  std::memset(*value + bytes, 0, room - bytes);
  return {};
}

Result<void> put_bodies(Pen& pen, store::Table bodies, ShelfName shelf,
                        std::span<Incoming> incoming) {
  for (const Incoming& each : incoming) {
    if (each.body->shelf() != shelf) continue;
    ChunkReader reader(*each.chunks);
    for (std::size_t i = 0; i < chunk_count(each.body->bytes); ++i) {
      auto put = put_chunk(pen, bodies, *each.body, i, reader);
      if (!put) return put;
    }
  }
  return {};
}

Result<void> free_bodies(Pen& pen, store::Table bodies,
                         const std::vector<std::shared_ptr<Body>>& freeing) {
  for (const auto& body : freeing) {
    std::size_t count = chunk_count(body->bytes);
    for (std::size_t i = 0; i < count; ++i) {
      auto txn = pen.txn(page_bytes);
      if (!txn) return std::unexpected(txn.error());
      auto key = chunk_key(body->id, static_cast<std::uint32_t>(i));
      auto erased = (*txn)->erase(bodies, view(key));
      if (!erased) return std::unexpected(erased.error());
    }
  }
  return {};
}

Result<void> erase_headers(Pen& pen, store::Table objects, std::span<const DoomedHeader> doomed) {
  for (const DoomedHeader& each : doomed) {
    auto txn = pen.txn(page_bytes);
    if (!txn) return std::unexpected(txn.error());
    ObjectKey key = object_key(each.hash);
    auto record = (*txn)->get(objects, view(key));
    if (!record) return std::unexpected(record.error());
    if (!*record || record_id(**record) != each.id) continue;
    auto erased = (*txn)->erase(objects, view(key));
    if (!erased) return std::unexpected(erased.error());
  }
  return {};
}

Result<void> put_header(Pen& pen, store::Table objects, const ObjectKey& key,
                        const std::string& record) {
  auto txn = pen.txn(record.size() + page_bytes);
  if (!txn) return std::unexpected(txn.error());
  return (*txn)->put(objects, view(key), record);
}

Result<unsigned> write_bodies(Volume& volume, ShelfName name, Holdings& holdings,
                              const Round& round) {
  Shelf& shelf = volume.shelf(name);
  Pen pen(shelf);
  auto done = free_bodies(pen, shelf.bodies(), holdings.freeing(name));
  if (done) done = put_bodies(pen, shelf.bodies(), name, round.incoming);
  if (done) done = pen.finish();
  if (!done) return std::unexpected(done.error());
  return pen.commits();
}

/// Environments never shrink. When the mix of sizes changes, one would keep what another needs: so
/// while the files take more of the disk than they may, freed chunks leave holes.
void give_back(const Volume& volume, ShelfName name, const Holdings& holdings) {
  const auto& freed = holdings.freeing(name);
  std::uint64_t allowed = holdings.budget().size() + holdings.budget().size() / 8;
  if (freed.empty() || volume.disk_bytes() <= allowed) return;
  for (const auto& body : freed) {
    for (std::size_t i = 0; i < body->offsets.size(); ++i) {
      volume.shelf(name).give_back(body->offsets[i], value_size(body->bytes, i));
    }
  }
}

Result<void> put_headers(Pen& pen, store::Table objects, const Round& round) {
  for (const NewHead& each : round.heads) {
    auto put = put_header(pen, objects, each.key, each.record);
    if (!put) return put;
  }
  // After the heads: a new object of the same key replaces what the head was for.
  for (const Incoming& each : round.incoming) {
    auto put = put_header(pen, objects, object_key(each.body->hash), each.record);
    if (!put) return put;
  }
  return {};
}

Result<unsigned> write_small(Volume& volume, Holdings& holdings, const Round& round) {
  Shelf& small = volume.shelf(ShelfName::small);
  Pen pen(small);
  auto done = erase_headers(pen, volume.objects, holdings.doomed());
  if (done) done = free_bodies(pen, small.bodies(), holdings.freeing(ShelfName::small));
  if (done) done = put_bodies(pen, small.bodies(), ShelfName::small, round.incoming);
  if (done) done = put_headers(pen, volume.objects, round);
  if (done) done = pen.finish();
  if (!done) return std::unexpected(done.error());
  return pen.commits();
}

Result<void> locate(std::span<Incoming> incoming) {
  for (Incoming& each : incoming) {
    auto offsets = each.body->shelf_on_disk().locate(each.body->id, each.body->bytes);
    if (!offsets) return std::unexpected(offsets.error());
    each.body->offsets = std::move(*offsets);
  }
  return {};
}

}  // namespace

Result<unsigned> write_round(Volume& volume, Holdings& holdings, const Round& round,
                             SteadyTime now) {
  unsigned commits = 0;
  for (ShelfName name : {ShelfName::large, ShelfName::medium, ShelfName::small}) {
    bool small = name == ShelfName::small;
    auto written =
        small ? write_small(volume, holdings, round) : write_bodies(volume, name, holdings, round);
    if (!written) {
      // Those that came before are settled and have nothing left to reopen.
      for (ShelfName each : all_shelves) holdings.reopen(each, now);
      return written;
    }
    commits += *written;
    if (!small) give_back(volume, name, holdings);
    holdings.settle(name);
  }
  holdings.doomed().clear();
  auto located = locate(round.incoming);
  if (!located) return std::unexpected(located.error());
  return commits;
}

}  // namespace relay::edge::cache
