// Reading mapped files although the disk may not give a page, or somebody may have cut the file
// off: the kernel says so by SIGBUS, and the process would end, with all that it serves. And
// calling a library that believes what such a file says, and goes astray in memory when it is
// wrong.
#pragma once

#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace relay::store {

/// What this thread does about a SIGBUS (or a SIGSEGV, see Faults) while one of these is alive; the
/// innermost counts. Without any the process ends as usual.
class MappedRead {
 public:
  enum class Faults { missing_pages, any_memory };  // SIGBUS, or SIGSEGV too
  /// Go on at `place`.
  explicit MappedRead(sigjmp_buf& place, Faults faults = Faults::missing_pages);
  /// Put a page of zeros in the place of the missing one, in this map, which nobody else reads.
  MappedRead(const char* map, std::size_t bytes);
  MappedRead(const MappedRead&) = delete;
  ~MappedRead();
  /// Whether zeros were put anywhere.
  bool any_missing() const { return any_missing_; }
  /// For code that finds out by itself that it cannot go on: goes on at the innermost one's place.
  /// Comes back where there is none.
  static void leave();

 private:
  friend struct BusHandler;
  sigjmp_buf* place_ = nullptr;
  Faults faults_ = Faults::missing_pages;
  std::uintptr_t begin_ = 0, end_ = 0;
  volatile bool any_missing_ = false;
  MappedRead* outer_;
};

/// Runs `read`, which looks at mapped files. False: a page could not be had, and `read` was left
/// where it stood. So it must have nothing to give back then: no lock, no object with a destructor,
/// nothing half done that anybody needs.
template <class Read>
bool read_mapped(Read&& read, MappedRead::Faults faults = MappedRead::Faults::missing_pages) {
  sigjmp_buf place;
  MappedRead guard(place, faults);
  // Without the mask, whose saving is a system call; the handler restores it.
  if (sigsetjmp(place, 0) != 0) return false;
  read();
  return true;
}

/// Copies from a map; false: not all of it could be had.
bool copy_mapped(char* into, const char* from, std::size_t bytes);
/// Brings all pages into memory; false: not all of them could be had.
bool touch_mapped(std::string_view bytes);

}  // namespace relay::store
