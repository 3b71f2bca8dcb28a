#include "common/net/block_pool.hpp"

#include <sys/mman.h>

#include <new>

namespace relay::net {
namespace {
constexpr std::size_t slab_blocks = 64;
constexpr std::size_t warm_max = 64;  // free blocks that keep their memory
}  // namespace

BlockPool& BlockPool::of_thread() {
  thread_local BlockPool pool;
  return pool;
}

void* BlockPool::take() {
  if (warm_.empty() && cold_.empty()) map_slab();
  std::vector<void*>& from = warm_.empty() ? cold_ : warm_;
  void* block = from.back();
  from.pop_back();
  return block;
}

void BlockPool::give_back(void* block) {
  if (warm_.size() < warm_max) {
    warm_.push_back(block);
    return;
  }
  ::madvise(block, block_bytes, MADV_DONTNEED);
  cold_.push_back(block);
}

void BlockPool::map_slab() {
  void* slab = ::mmap(nullptr, slab_blocks * block_bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (slab == MAP_FAILED) throw std::bad_alloc();
  ::madvise(slab, slab_blocks * block_bytes, MADV_NOHUGEPAGE);
  for (std::size_t i = slab_blocks; i > 0; --i) {
    cold_.push_back(static_cast<char*>(slab) + (i - 1) * block_bytes);
  }
}

}  // namespace relay::net
