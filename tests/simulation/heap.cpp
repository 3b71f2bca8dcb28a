#include "tests/simulation/heap.hpp"

#include <malloc.h>
#include <sys/mman.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace relay::simulation {
namespace {

constexpr std::size_t heap_bytes = 128 << 20, huge_page_bytes = 2 << 20;
constexpr std::size_t large_bytes = 256 << 10;  // and more come from malloc
constexpr std::size_t header_bytes = 16;        // before a block: its kind; keeps it aligned
constexpr std::size_t kinds = 80;

struct Free {
  Free* next;
};

char* begin = nullptr;
char* next = nullptr;
char* end = nullptr;
bool in_use = false;
std::array<Free*, kinds> freed{};

/// Blocks are of four sizes between a power of two and the next.
struct Kind {
  std::size_t number, bytes;
};

Kind kind_of(std::size_t bytes) {
  std::size_t least = bytes < 64 ? 64 : bytes;
  auto power = static_cast<unsigned>(std::bit_width(least - 1)) - 1;
  std::size_t step = (std::size_t{1} << power) / 4;
  std::size_t steps = (least - (std::size_t{1} << power) + step - 1) / step;
  return {4 * (power - 5) + steps - 1, (std::size_t{1} << power) + steps * step};
}

void* give(std::size_t bytes) {
  if (!in_use || bytes >= large_bytes) return std::malloc(bytes);
  Kind kind = kind_of(bytes + header_bytes);
  if (Free* block = freed[kind.number]) {
    freed[kind.number] = block->next;
    return block;
  }
  if (static_cast<std::size_t>(end - next) < kind.bytes) return std::malloc(bytes);
  char* block = next;
  next += kind.bytes;
  *reinterpret_cast<std::size_t*>(block) = kind.number;
  return block + header_bytes;
}

void take_back(void* block) {
  auto* at = static_cast<char*>(block);
  if (at < begin || at >= end) return std::free(block);
  std::size_t kind = *reinterpret_cast<std::size_t*>(at - header_bytes);
  freed[kind] = new (block) Free{freed[kind]};
}

}  // namespace

void set_heap_aside() {
  // Large blocks one by one from the kernel, with their zeros in them: in a heap that is kept ahead
  // of its use, calloc would write these.
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_TOP_PAD, 128 << 10);
  ::mallopt(M_MMAP_THRESHOLD, 512 << 10);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
  void* at = ::mmap(nullptr, heap_bytes + huge_page_bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) std::abort();
  auto first =
      (reinterpret_cast<std::uintptr_t>(at) + huge_page_bytes - 1) & ~(huge_page_bytes - 1);
  begin = next = reinterpret_cast<char*>(first);
  end = begin + heap_bytes;
  ::madvise(begin, heap_bytes, MADV_HUGEPAGE);
}

void use_heap() {
  in_use = true;
}

}  // namespace relay::simulation

void* operator new(std::size_t bytes) {
  if (void* block = relay::simulation::give(bytes)) return block;
  throw std::bad_alloc();
}

void operator delete(void* block) noexcept {
  relay::simulation::take_back(block);
}

void operator delete(void* block, std::size_t) noexcept {
  relay::simulation::take_back(block);
}
