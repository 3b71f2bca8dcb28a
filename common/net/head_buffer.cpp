#include "common/net/head_buffer.hpp"

#include <sys/mman.h>

#include <cstring>
#include <new>
#include <utility>

#include "common/base/check.hpp"

namespace relay::net {

/// Blocks of one thread, as many as its connections once held at a time. Never unmapped: a session
/// that a hard stop left over may end on another thread, and bring its block there.
class BlockPool {
 public:
  using Block = HeadBuffer::Block;

  static BlockPool& of_thread() {
    thread_local BlockPool pool;
    return pool;
  }

  Block* take() {
    if (warm_.empty() && cold_.empty()) map_slab();
    std::vector<void*>& from = warm_.empty() ? cold_ : warm_;
    void* at = from.back();
    from.pop_back();
    return new (at) Block;
  }

  void give_back(Block* block) {
    if (warm_.size() < warm_max) {
      warm_.push_back(block);
      return;
    }
    ::madvise(block, sizeof(Block), MADV_DONTNEED);
    cold_.push_back(block);
  }

 private:
  static constexpr std::size_t slab_blocks = 64;
  static constexpr std::size_t warm_max = 64;  // keep their memory

  void map_slab() {
    void* slab = ::mmap(nullptr, slab_blocks * sizeof(Block), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (slab == MAP_FAILED) throw std::bad_alloc();
    ::madvise(slab, slab_blocks * sizeof(Block), MADV_NOHUGEPAGE);
    for (std::size_t i = slab_blocks; i > 0; --i) {
      cold_.push_back(static_cast<char*>(slab) + (i - 1) * sizeof(Block));
    }
  }

  std::vector<void*> warm_, cold_;
};

void HeadBuffer::take() {
  RELAY_CHECK(!block_);
  block_ = BlockPool::of_thread().take();
}

void HeadBuffer::give_back() {
  shrink();
  if (block_) BlockPool::of_thread().give_back(std::exchange(block_, nullptr));
}

void HeadBuffer::grow(std::size_t size, std::size_t filled) {
  std::vector<char> larger(size);
  std::memcpy(larger.data(), data(), filled);
  large_.swap(larger);
}

}  // namespace relay::net
