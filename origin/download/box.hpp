// Boxes of ISO base media files (14496-12 4.2), read in memory and written. Pure.
//
// Reading takes nothing on trust: a box that says more than there is ends the walk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace relay::origin::download {

inline constexpr std::uint64_t box_head_bytes = 8;

struct Box {
  std::string_view type;  // "moov"
  std::string_view whole, payload;
};

/// The boxes that stand one after another in `bytes`; the last one may be cut off: then it is left
/// out.
std::vector<Box> boxes_in(std::string_view bytes);
/// The first box at the end of a path of types, "moov/trak/mdia".
std::optional<Box> find_box(std::string_view bytes, std::string_view path);

/// Big-endian numbers off the front; `broken` once something was not there.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : left_(bytes) {}
  std::uint32_t u32() { return static_cast<std::uint32_t>(take(4)); }
  std::uint64_t u64() { return take(8); }
  void skip(std::size_t n);
  bool broken() const { return broken_; }
  std::size_t left() const { return left_.size(); }

 private:
  std::uint64_t take(std::size_t n);
  std::string_view left_;
  bool broken_ = false;
};

/// Appends boxes; a box is ended by the destructor of what begin() gave.
class BoxWriter {
 public:
  class Open {
   public:
    Open(std::string& out, std::size_t at) : out_(out), at_(at) {}
    Open(const Open&) = delete;
    ~Open();

   private:
    std::string& out_;
    std::size_t at_;
  };

  explicit BoxWriter(std::string& out) : out_(out) {}
  [[nodiscard]] Open begin(std::string_view type);
  [[nodiscard]] Open begin_full(std::string_view type, std::uint8_t version, std::uint32_t flags);
  void u32(std::uint32_t value) { put(value, 4); }
  void u64(std::uint64_t value) { put(value, 8); }
  void u16(std::uint16_t value) { put(value, 2); }
  void bytes(std::string_view bytes) { out_ += bytes; }
  void zeros(std::size_t n) { out_.append(n, '\0'); }

 private:
  void put(std::uint64_t value, int bytes);
  std::string& out_;
};

/// Overwrites a big-endian number in place; `bytes` is 4 or 8.
void set_number(std::string& text, std::size_t at, std::uint64_t value, int bytes);

}  // namespace relay::origin::download
