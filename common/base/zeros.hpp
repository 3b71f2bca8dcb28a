// A large array that begins with zeros and costs nothing where nobody looks: libc takes large
// blocks from the kernel with their zeros in them, and the kernel gives a page at its first use.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>

namespace relay {

/// As a vector of fixed size. Elements are of a kind for which zero bytes are a value.
template <class T>
class Zeros {
 public:
  /// Throws std::bad_alloc.
  explicit Zeros(std::size_t size)
      : size_(size), first_(static_cast<T*>(std::calloc(size, sizeof(T)))) {
    static_assert(std::is_trivial_v<T>);
    if (!first_) throw std::bad_alloc();
  }
  T& operator[](std::size_t at) { return first_.get()[at]; }
  const T& operator[](std::size_t at) const { return first_.get()[at]; }
  T* begin() { return first_.get(); }
  T* end() { return first_.get() + size_; }

 private:
  struct Free {
    void operator()(T* first) const { std::free(first); }
  };
  std::size_t size_;
  std::unique_ptr<T, Free> first_;
};

}  // namespace relay
