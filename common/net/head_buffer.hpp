// Where a session's incoming bytes and the fields of its present head lie: in the session itself as
// long as that does, on the heap for the few heads that are larger.
#pragma once

#include <cstddef>
#include <cstring>
#include <vector>

#include "common/http/head.hpp"

namespace relay::net {

class HeadBuffer {
 public:
  // Not `= default`: that would let `HeadBuffer()` clear the bytes.
  HeadBuffer() {}
  HeadBuffer(const HeadBuffer&) = delete;

  char* data() { return large_.empty() ? bytes_ : large_.data(); }
  std::size_t size() const { return large_.empty() ? sizeof bytes_ : large_.size(); }
  http::FieldStore& fields() { return fields_; }

  /// Keeps the first `filled` bytes.
  void grow(std::size_t size, std::size_t filled) {
    std::vector<char> larger(size);
    std::memcpy(larger.data(), data(), filled);
    large_.swap(larger);
  }
  /// Back to its own bytes, when nothing is in the buffer.
  void shrink() { std::vector<char>().swap(large_); }

 private:
  http::FieldStore fields_;
  std::vector<char> large_;  // instead of bytes_, once these did not do
  char bytes_[4096];
};

}  // namespace relay::net
