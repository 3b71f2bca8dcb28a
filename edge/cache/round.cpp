#include "edge/cache/round.hpp"

#include <algorithm>
#include <cstring>

#include "common/base/log.hpp"
#include "common/store/mapped_read.hpp"
#include "common/store/page_check.hpp"

namespace relay::edge::cache {
namespace {

// Erased in one transaction, which holds as many tree pages at the worst: it never commits by
// itself.
constexpr std::size_t erased_chunks_max = 4096;

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

Result<std::uint64_t> put_chunk(Pen& pen, store::Table bodies, const Body& body, std::size_t number,
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
  return Shelf::offset_to_be(*value);
}

Result<void> put_bodies(Pen& pen, store::Table bodies, ShelfName shelf,
                        std::span<Incoming> incoming) {
  for (Incoming& each : incoming) {
    if (each.body->shelf() != shelf) continue;
    ChunkReader reader(*each.chunks);
    std::size_t count = chunk_count(each.body->bytes);
    each.offsets.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      auto put = put_chunk(pen, bodies, *each.body, i, reader);
      if (!put) return std::unexpected(put.error());
      each.offsets.push_back(*put);
    }
  }
  return {};
}

bool is_whole_run(const Shelf& shelf, std::string_view value) {
  auto offset = shelf.offset_of(value);
  if (!offset) return false;
  std::uint64_t page = *offset / page_bytes;
  bool whole = false;
  return store::read_mapped([&] { whole = store::is_whole_run(value, page); }) && whole;
}

Result<void> erase_chunks(Pen& pen, const Shelf& shelf, const Body& body) {
  std::size_t count = chunk_count(body.bytes);
  for (std::size_t i = 0; i < count; ++i) {
    auto txn = pen.txn(page_bytes);
    if (!txn) return std::unexpected(txn.error());
    auto key = chunk_key(body.id, static_cast<std::uint32_t>(i));
    auto value = (*txn)->get(shelf.bodies(), view(key));
    if (!value) return std::unexpected(value.error());
    if (*value && !is_whole_run(shelf, **value)) {
      // To erase it could free pages of others; it stays until the file is made anew.
      log::warn("damaged pages are left alone", {kv("body", body.id), kv("chunk", i)});
      continue;
    }
    auto erased = (*txn)->erase(shelf.bodies(), view(key));
    if (!erased) return std::unexpected(erased.error());
  }
  return {};
}

/// The pages are LMDB's from now on: forgotten, so that a round that fails later and comes back to
/// this body cannot make another hole where something else may lie by then.
void let_go(const Shelf& shelf, Body& body, bool leave_holes) {
  for (std::size_t i = 0; leave_holes && i < body.offsets.size(); ++i) {
    shelf.give_back(body.offsets[i], value_size(body.bytes, i));
  }
  body.offsets.clear();
}

/// Erases a batch in a transaction, and lets its pages go before the next one begins: LMDB uses
/// freed pages again, for its trees too, from the second transaction on after the one that freed
/// them.
Result<void> free_bodies(Pen& pen, const Shelf& shelf,
                         const std::vector<std::shared_ptr<Body>>& freeing, bool leave_holes) {
  for (auto at = freeing.begin(); at != freeing.end();) {
    auto first = at;
    for (std::size_t chunks = 0; at != freeing.end() && chunks < erased_chunks_max; ++at) {
      if (auto erased = erase_chunks(pen, shelf, **at); !erased) return erased;
      chunks += chunk_count((*at)->bytes);
    }
    if (auto done = pen.finish(); !done) return done;
    for (; first != at; ++first) let_go(shelf, **first, leave_holes);
  }
  return {};
}

/// In the order in which they were doomed, older ones of a key before newer ones: else a crash in
/// between could bring back what was replaced.
Result<void> erase_headers(Pen& pen, store::Table objects, std::span<const HeaderName> doomed) {
  for (const HeaderName& each : doomed) {
    auto txn = pen.txn(page_bytes);
    if (!txn) return std::unexpected(txn.error());
    auto erased = (*txn)->erase(objects, view(header_key(each)));
    if (!erased) return std::unexpected(erased.error());
  }
  return {};
}

Result<void> put_header(Pen& pen, store::Table objects, const HeaderName& name,
                        const std::string& record) {
  auto txn = pen.txn(record.size() + page_bytes);
  if (!txn) return std::unexpected(txn.error());
  return (*txn)->put(objects, view(header_key(name)), record);
}

/// Environments never shrink. When the mix of sizes changes, one would keep what another needs: so
/// while the files take more of the disk than they may, freed chunks leave holes.
bool is_over_disk(const Volume& volume, const Holdings& holdings) {
  return volume.disk_bytes() > holdings.budget().size() + holdings.budget().size() / 8;
}

Result<unsigned> free_shelf(Volume& volume, ShelfName name, Holdings& holdings) {
  const auto& freeing = holdings.freeing(name);
  if (freeing.empty()) return 0u;
  bool small = name == ShelfName::small;
  Shelf& shelf = volume.shelf(name);
  Pen pen(shelf);
  Result<void> done;
  if (small) done = erase_headers(pen, volume.objects, holdings.doomed());
  if (done) done = free_bodies(pen, shelf, freeing, !small && is_over_disk(volume, holdings));
  if (!done) return std::unexpected(done.error());
  if (small) holdings.doomed().clear();
  holdings.settle(name);
  return pen.commits();
}

Result<unsigned> write_bodies(Volume& volume, ShelfName name, const Round& round) {
  Shelf& shelf = volume.shelf(name);
  Pen pen(shelf);
  auto done = put_bodies(pen, shelf.bodies(), name, round.incoming);
  if (done) done = pen.finish();
  if (!done) return std::unexpected(done.error());
  return pen.commits();
}

Result<void> put_headers(Pen& pen, store::Table objects, const Round& round) {
  for (const NewHead& each : round.heads) {
    auto put = put_header(pen, objects, each.name, each.record);
    if (!put) return put;
  }
  for (const Incoming& each : round.incoming) {
    auto put = put_header(pen, objects, {each.body->id, each.body->hash}, each.record);
    if (!put) return put;
  }
  return {};
}

Result<unsigned> write_small(Volume& volume, Holdings& holdings, const Round& round) {
  Shelf& small = volume.shelf(ShelfName::small);
  Pen pen(small);
  auto done = erase_headers(pen, volume.objects, holdings.doomed());
  if (done) done = put_bodies(pen, small.bodies(), ShelfName::small, round.incoming);
  if (done) done = put_headers(pen, volume.objects, round);
  if (done) done = pen.finish();
  if (!done) return std::unexpected(done.error());
  holdings.doomed().clear();
  return pen.commits();
}

/// Where the chunks of one shelf end in its file; 0: there are none.
std::uint64_t end_of(ShelfName name, std::span<const Incoming> incoming) {
  std::uint64_t end = 0;
  for (const Incoming& each : incoming) {
    if (each.body->shelf() != name) continue;
    for (std::size_t i = 0; i < each.offsets.size(); ++i) {
      end = std::max(end, each.offsets[i] + value_size(each.body->bytes, i));
    }
  }
  return end;
}

/// What is committed is in the files, unless somebody cut them off.
Result<void> settle_offsets(const Volume& volume, std::span<Incoming> incoming) {
  for (ShelfName name : all_shelves) {
    std::uint64_t end = end_of(name, incoming);
    if (end == 0) continue;
    auto bytes = volume.shelf(name).file_bytes();
    if (!bytes) return std::unexpected(bytes.error());
    if (*bytes < end) return fail(ErrorKind::corrupt, ErrorSource::disk, "a new body is cut off");
  }
  for (Incoming& each : incoming) each.body->offsets = std::move(each.offsets);
  return {};
}

}  // namespace

Result<unsigned> free_round(Volume& volume, Holdings& holdings, SteadyTime now) {
  unsigned commits = 0;
  for (ShelfName name : {ShelfName::large, ShelfName::medium, ShelfName::small}) {
    auto freed = free_shelf(volume, name, holdings);
    if (!freed) {
      // Those that came before are settled and have nothing left to reopen.
      for (ShelfName each : all_shelves) holdings.reopen(each, now);
      return freed;
    }
    commits += *freed;
  }
  return commits;
}

Result<unsigned> write_round(Volume& volume, Holdings& holdings, const Round& round) {
  unsigned commits = 0;
  for (ShelfName name : {ShelfName::large, ShelfName::medium}) {
    auto written = write_bodies(volume, name, round);
    if (!written) return written;
    commits += *written;
  }
  auto written = write_small(volume, holdings, round);
  if (!written) return written;
  auto settled = settle_offsets(volume, round.incoming);
  if (!settled) return std::unexpected(settled.error());
  return commits + *written;
}

}  // namespace relay::edge::cache
