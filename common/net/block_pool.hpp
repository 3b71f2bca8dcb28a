// Blocks of whole pages for what a connection needs only while it is busy. From the heap, the
// memory of ten thousand connections that were busy once would stay in the process: freed, but each
// piece beside something that lives. A block here goes back to the system.
#pragma once

#include <cstddef>
#include <vector>

namespace relay::net {

/// Blocks of one thread, as many as its connections once held at a time. Never unmapped: a session
/// that a hard stop left over may end on another thread, and bring its block there.
class BlockPool {
 public:
  static constexpr std::size_t block_bytes = 8192;
  static BlockPool& of_thread();

  /// At a page's beginning, with whatever its last user left in it. Throws std::bad_alloc.
  void* take();
  void give_back(void* block);

 private:
  void map_slab();
  std::vector<void*> warm_, cold_;  // the cold ones have no memory behind them
};

}  // namespace relay::net
