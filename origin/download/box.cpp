#include "origin/download/box.hpp"

#include <algorithm>

#include "common/base/check.hpp"

namespace relay::origin::download {
namespace {

/// The box at the front, or nothing; 64-bit sizes are none that we write.
std::optional<Box> front_box(std::string_view bytes) {
  Fields head(bytes);
  std::uint64_t size = head.u32();
  head.u32();
  if (head.broken() || size < box_head_bytes || size > bytes.size()) return std::nullopt;
  return Box{bytes.substr(4, 4), bytes.substr(0, size),
             bytes.substr(box_head_bytes, size - box_head_bytes)};
}

}  // namespace

std::vector<Box> boxes_in(std::string_view bytes) {
  std::vector<Box> found;
  while (auto box = front_box(bytes)) {
    found.push_back(*box);
    bytes.remove_prefix(box->whole.size());
  }
  return found;
}

std::optional<Box> find_box(std::string_view bytes, std::string_view path) {
  std::string_view first = path.substr(0, path.find('/'));
  for (const Box& box : boxes_in(bytes)) {
    if (box.type != first) continue;
    if (first.size() == path.size()) return box;
    return find_box(box.payload, path.substr(first.size() + 1));
  }
  return std::nullopt;
}

void Fields::skip(std::size_t n) {
  broken_ = broken_ || left_.size() < n;
  left_.remove_prefix(std::min(n, left_.size()));
}

std::uint64_t Fields::take(std::size_t n) {
  std::uint64_t value = 0;
  if (left_.size() < n) {
    broken_ = true;
    return 0;
  }
  for (std::size_t i = 0; i < n; ++i) value = value << 8 | static_cast<unsigned char>(left_[i]);
  left_.remove_prefix(n);
  return value;
}

BoxWriter::Open::~Open() {
  set_number(out_, at_, out_.size() - at_, 4);
}

BoxWriter::Open BoxWriter::begin(std::string_view type) {
  std::size_t at = out_.size();
  u32(0);
  bytes(type);
  return {out_, at};
}

BoxWriter::Open BoxWriter::begin_full(std::string_view type, std::uint8_t version,
                                      std::uint32_t flags) {
  std::size_t at = out_.size();
  u32(0);
  bytes(type);
  u32(static_cast<std::uint32_t>(version) << 24 | flags);
  return {out_, at};
}

void BoxWriter::put(std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    out_ += static_cast<char>(value >> shift);
}

void set_number(std::string& text, std::size_t at, std::uint64_t value, int bytes) {
  RELAY_CHECK(at + static_cast<std::size_t>(bytes) <= text.size());
  for (int i = 0; i < bytes; ++i)
    text[at + static_cast<std::size_t>(i)] = static_cast<char>(value >> (8 * (bytes - 1 - i)));
}

}  // namespace relay::origin::download
