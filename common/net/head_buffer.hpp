// Where a connection's incoming bytes and the fields of its present head lie: one block of whole
// pages, taken from a pool of the thread when bytes come and given back while the connection is
// idle. From the heap, the blocks of ten thousand connections that were busy once would stay in the
// process: freed, but each beside something that lives. A block here goes back to the system.
#pragma once

#include <cstddef>
#include <vector>

#include "common/http/head.hpp"

namespace relay::net {

class HeadBuffer {
 public:
  HeadBuffer() = default;
  HeadBuffer(const HeadBuffer&) = delete;
  ~HeadBuffer() { give_back(); }

  bool taken() const { return block_ != nullptr; }
  void take();
  void give_back();

  /// Null and 0 while no block is taken.
  char* data() { return !large_.empty() ? large_.data() : block_ ? block_->bytes : nullptr; }
  std::size_t size() const {
    return !large_.empty() ? large_.size() : block_ ? sizeof block_->bytes : 0;
  }

  // What follows needs a taken block.
  http::FieldStore& fields() { return block_->fields; }
  /// Keeps the first `filled` bytes.
  void grow(std::size_t size, std::size_t filled);
  /// Back to the block, when nothing is in the buffer.
  void shrink() { std::vector<char>().swap(large_); }

 private:
  friend class BlockPool;
  static constexpr std::size_t block_bytes = 8192;
  struct alignas(4096) Block {
    http::FieldStore fields;
    char bytes[block_bytes - sizeof(http::FieldStore)];
  };
  static_assert(sizeof(Block) == block_bytes);

  Block* block_ = nullptr;
  std::vector<char> large_;  // instead of the block's bytes, once these did not do
};

}  // namespace relay::net
