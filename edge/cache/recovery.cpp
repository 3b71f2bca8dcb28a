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
    if (!backlog_.listed()) return std::unexpected(backlog_.listed().error());
    for (ShelfName name : all_shelves) {
      auto scanned = scan_chunks(name);
      if (!scanned) return std::unexpected(scanned.error());
    }
    auto scanned = scan_headers();
    if (!scanned) return std::unexpected(scanned.error());
    auto erased = erase_useless();
    if (!erased) return std::unexpected(erased.error());
    for (ShelfName name : all_shelves) collect_orphans(name);
    return std::move(result_);
  }

 private:
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
    auto walked = store::walk(shelf.env(), shelf.bodies(), each);
    found(name).claimed.resize(found(name).chunks.size());
    return walked;
  }

  Result<void> scan_headers() {
    auto each = [&](std::string_view key, std::string_view value) {
      auto name = parse_header_key(key);
      bool replaced = name && backlog_.is_replaced(name->id);
      if (name && !replaced && take(*name, value)) return;
      useless_.emplace_back(key);
      broken_ += !replaced;
    };
    result_.bodies.reserve(backlog_.records());
    return store::walk(volume_.headers(), volume_.objects, each);
  }

  bool take(const HeaderName& name, std::string_view value) {
    if (!store::touch_mapped(value)) return false;
    auto record = decode(value);
    if (!record || !is_of(*record, name)) return false;
    auto offsets = found(shelf_of(record->body_bytes)).claim(name.id, record->body_bytes);
    if (!offsets) return false;
    note_id(name.id);
    auto turn = backlog_.turn_of(name.hash, backlog_.revive(name.hash, std::move(*record),
                                                            value.size(), std::move(*offsets)));
    result_.bodies.push_back(std::move(turn.body));
    if (turn.removed) result_.removed.push_back(name.id);
    return true;
  }

  Result<void> erase_useless() {
    if (broken_ > 0) log::warn("cache records dropped at open", {kv("records", broken_)});
    Pen pen(volume_.shelf(ShelfName::small));
    for (const std::string& key : useless_) {
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
  std::vector<std::string> useless_;  // keys of records to be erased
  std::size_t broken_ = 0;            // of them; the others were replaced
  Recovered result_;
};

}  // namespace

Result<Recovered> recover(Volume& volume, Backlog& backlog) {
  return Recovery(volume, backlog).run();
}

}  // namespace relay::edge::cache
