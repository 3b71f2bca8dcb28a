#include "common/media/key_picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

#include "common/media/attribute_list.hpp"

namespace relay::media {
namespace {

/// What stands before the next `mark`, which is taken off too.
std::string_view take(std::string_view& text, std::string_view mark) {
  std::size_t end = std::min(text.find(mark), text.size());
  std::string_view taken = text.substr(0, end);
  text.remove_prefix(std::min(end + mark.size(), text.size()));
  return taken;
}

/// "24 5321 0"
std::optional<KeyPicture> key_picture(std::string_view text) {
  std::array<std::int64_t, 3> numbers{};
  for (std::int64_t& into : numbers) {
    auto number = decimal_integer(take(text, " "));
    if (!number) return std::nullopt;
    into = *number;
  }
  if (!text.empty()) return std::nullopt;
  return KeyPicture{static_cast<std::uint64_t>(numbers[0]), static_cast<std::uint64_t>(numbers[1]),
                    numbers[2]};
}

bool fits(const KeyPicture& key, const std::vector<KeyPicture>& before,
          std::uint64_t segment_bytes) {
  if (key.bytes == 0 || key.offset > segment_bytes || key.bytes > segment_bytes - key.offset)
    return false;
  if (before.empty()) return key.microseconds == 0;
  const KeyPicture& last = before.back();
  return key.microseconds > last.microseconds && key.offset >= last.offset + last.bytes;
}

}  // namespace

std::string to_text(const std::vector<KeyPicture>& keys) {
  std::string text;
  for (const KeyPicture& key : keys) {
    fmt::format_to(std::back_inserter(text), "{}{} {} {}", text.empty() ? "" : ", ", key.offset,
                   key.bytes, key.microseconds);
  }
  return text;
}

Result<std::vector<KeyPicture>> key_pictures_from_text(std::string_view text,
                                                       std::uint64_t segment_bytes) {
  std::vector<KeyPicture> keys;
  while (!text.empty()) {
    auto key = key_picture(take(text, ", "));
    if (!key || !fits(*key, keys, segment_bytes) || keys.size() >= key_pictures_max)
      return bad_input(fmt::format("key picture {} is not one of a segment of {} bytes",
                                   keys.size() + 1, segment_bytes));
    keys.push_back(*key);
  }
  return keys;
}

}  // namespace relay::media
