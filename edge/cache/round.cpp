#include "edge/cache/round.hpp"

#include <cstring>

#include "common/base/check.hpp"

namespace relay::edge::cache {
namespace {

Result<void> put_chunk(Pen& pen, store::Table bodies, const Body& body, std::size_t number,
                       std::string_view chunk) {
  std::size_t room = value_size(body.bytes, number);
  auto txn = pen.txn(room);
  if (!txn) return std::unexpected(txn.error());
  auto key = chunk_key(body.id, static_cast<std::uint32_t>(number));
  auto value = (*txn)->reserve(bodies, view(key), room);
  if (!value) return std::unexpected(value.error());
  std::memcpy(*value, chunk.data(), chunk.size());
  std::memset(*value + chunk.size(), 0, room - chunk.size());
  return {};
}

Result<void> put_bodies(Pen& pen, store::Table bodies, ShelfName shelf,
                        std::span<Incoming> incoming) {
  for (const Incoming& each : incoming) {
    if (each.body->shelf() != shelf) continue;
    for (std::size_t i = 0; i < each.chunks->size(); ++i) {
      auto put = put_chunk(pen, bodies, *each.body, i, (*each.chunks)[i]->view());
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

Result<unsigned> write_bulk(Volume& volume, Holdings& holdings, const Round& round) {
  Pen pen(volume.bulk);
  auto done = free_bodies(pen, volume.bulk.bodies(), holdings.freeing(ShelfName::bulk));
  if (done) done = put_bodies(pen, volume.bulk.bodies(), ShelfName::bulk, round.incoming);
  if (done) done = pen.finish();
  if (!done) return std::unexpected(done.error());
  return pen.commits();
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
  Pen pen(volume.small);
  auto done = erase_headers(pen, volume.objects, holdings.doomed());
  if (done) {
    done = free_bodies(pen, volume.small.bodies(), holdings.freeing(ShelfName::small));
  }
  if (done) done = put_bodies(pen, volume.small.bodies(), ShelfName::small, round.incoming);
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
  auto bulk = write_bulk(volume, holdings, round);
  if (!bulk) {
    holdings.reopen(ShelfName::bulk, now);
    holdings.reopen(ShelfName::small, now);
    return bulk;
  }
  holdings.settle(ShelfName::bulk);
  auto small = write_small(volume, holdings, round);
  if (!small) {
    holdings.reopen(ShelfName::small, now);
    return small;
  }
  holdings.settle(ShelfName::small);
  holdings.doomed().clear();
  auto located = locate(round.incoming);
  if (!located) return std::unexpected(located.error());
  return *bulk + *small;
}

}  // namespace relay::edge::cache
