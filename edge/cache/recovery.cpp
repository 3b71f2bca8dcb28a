#include "edge/cache/recovery.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "common/base/log.hpp"
#include "common/store/mapped_read.hpp"

namespace relay::edge::cache {
namespace {

struct FoundChunk {
  std::uint64_t id;
  std::uint32_t number;
  std::uint32_t value_bytes;
  std::uint64_t file_offset;
};

/// The chunks of one shelf in key order, and which of them an object has claimed.
struct FoundChunks {
  std::vector<FoundChunk> chunks;
  std::vector<bool> claimed;

  /// The chunks' offsets when all are there with their right sizes and unclaimed.
  std::optional<std::vector<std::uint64_t>> claim(std::uint64_t id, std::uint64_t body_bytes) {
    auto range = std::ranges::equal_range(chunks, id, {}, &FoundChunk::id);
    if (range.size() != chunk_count(body_bytes)) return std::nullopt;
    std::vector<std::uint64_t> offsets;
    auto first = static_cast<std::size_t>(range.begin() - chunks.begin());
    for (std::size_t i = 0; i < range.size(); ++i) {
      const FoundChunk& chunk = chunks[first + i];
      bool right = chunk.number == i && chunk.value_bytes == value_size(body_bytes, i);
      if (!right || claimed[first + i]) return std::nullopt;
      offsets.push_back(chunk.file_offset);
    }
    std::fill_n(claimed.begin() + static_cast<std::ptrdiff_t>(first), offsets.size(), true);
    return offsets;
  }
};

class Recovery {
 public:
  Recovery(Volume& volume, Backlog& backlog) : volume_(volume), backlog_(backlog) {}

  Result<Recovered> run() {
    for (ShelfName name : all_shelves) {
      auto scanned = scan_chunks(name);
      if (!scanned) return std::unexpected(scanned.error());
    }
    auto scanned = scan_headers();
    if (!scanned) return std::unexpected(scanned.error());
    auto erased = erase_broken();
    if (!erased) return std::unexpected(erased.error());
    for (ShelfName name : all_shelves) collect_orphans(name);
    std::ranges::sort(bodies_, {}, &StoredBody::id);
    result_.bodies.reserve(bodies_.size());
    for (StoredBody& each : bodies_) result_.bodies.push_back(std::move(each.body));
    return std::move(result_);
  }

 private:
  struct StoredBody {
    std::uint64_t id;
    std::shared_ptr<Body> body;
  };

  FoundChunks& found(ShelfName name) { return found_[static_cast<std::size_t>(name)]; }

  Result<void> scan_chunks(ShelfName name) {
    Shelf& shelf = volume_.shelf(name);
    auto file_bytes = shelf.file_bytes();
    if (!file_bytes) return std::unexpected(file_bytes.error());
    auto each = [&](std::string_view key, std::string_view value) {
      auto chunk = parse_chunk_key(key);
      auto offset = shelf.offset_of(value);
      // A value beyond the end of a truncated file must not be read: its object is incomplete.
      if (!chunk || !offset || *offset + value.size() > *file_bytes) return;
      note_id(chunk->id);
      found(name).chunks.push_back(
          {chunk->id, chunk->number, static_cast<std::uint32_t>(value.size()), *offset});
    };
    auto walked = walk(shelf.env(), shelf.bodies(), each);
    found(name).claimed.resize(found(name).chunks.size());
    return walked;
  }

  Result<void> scan_headers() {
    auto each = [&](std::string_view key, std::string_view value) {
      if (!take(key, value)) broken_.emplace_back(key);
    };
    bodies_.reserve(backlog_.records());
    return walk(volume_.headers(), volume_.objects, each);
  }

  template <class Each>
  static Result<void> walk(store::Env& env, store::Table table, Each&& each) {
    auto txn = env.read();
    if (!txn) return std::unexpected(txn.error());
    auto cursor = store::Cursor::open(*txn, table);
    if (!cursor) return std::unexpected(cursor.error());
    auto there = cursor->seek({});
    for (; there && *there; there = cursor->next()) each(cursor->key(), cursor->value());
    if (!there) return std::unexpected(there.error());
    return {};
  }

  bool take(std::string_view key, std::string_view value) {
    if (!store::touch_mapped(value)) return false;
    auto record = decode(value);
    if (!record) return false;
    Digest128 hash = digest128(record->key);
    if (view(object_key(hash)) != key) return false;
    auto offsets = found(shelf_of(record->body_bytes)).claim(record->id, record->body_bytes);
    if (!offsets) return false;
    std::uint64_t id = record->id;
    note_id(id);
    auto turn = backlog_.turn_of(
        hash, backlog_.revive(hash, std::move(*record), value.size(), std::move(*offsets)));
    bodies_.push_back({id, std::move(turn.body)});
    if (turn.removed) result_.removed.push_back(id);
    return true;
  }

  Result<void> erase_broken() {
    if (broken_.empty()) return {};
    log::warn("cache records dropped at open", {kv("records", broken_.size())});
    Pen pen(volume_.shelf(ShelfName::small));
    for (const std::string& key : broken_) {
      auto txn = pen.txn(page_bytes);
      if (!txn) return std::unexpected(txn.error());
      auto erased = (*txn)->erase(volume_.objects, key);
      if (!erased) return std::unexpected(erased.error());
    }
    return pen.finish();
  }

  /// Each run of unclaimed chunks of one id becomes a body as large as its chunk numbers say.
  void collect_orphans(ShelfName name) {
    const FoundChunks& all = found(name);
    for (std::size_t i = 0; i < all.chunks.size(); ++i) {
      if (all.claimed[i]) continue;
      std::uint64_t id = all.chunks[i].id;
      std::uint64_t bytes = all.chunks[i].value_bytes + page_header_bytes;
      for (; i + 1 < all.chunks.size() && all.chunks[i + 1].id == id; ++i) {
        bytes += all.chunks[i + 1].value_bytes + page_header_bytes;
      }
      std::size_t count = std::size_t{all.chunks[i].number} + 1;
      const Runs& runs = runs_of(name);
      auto body = backlog_.make_body(
          id, std::min<std::uint64_t>(count * runs.chunk_bytes(), runs.body_bytes_max));
      body->charge_bytes = bytes;
      result_.orphans.push_back(std::move(body));
    }
  }

  void note_id(std::uint64_t id) { result_.next_id = std::max(result_.next_id, id + 1); }

  Volume& volume_;
  Backlog& backlog_;
  std::array<FoundChunks, shelf_count> found_;
  std::vector<std::string> broken_;
  std::vector<StoredBody> bodies_;
  Recovered result_;
};

}  // namespace

Result<Recovered> recover(Volume& volume, Backlog& backlog) {
  return Recovery(volume, backlog).run();
}

}  // namespace relay::edge::cache
