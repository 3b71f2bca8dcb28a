// XXH3 in its two uses: 64 bit for placing keys, 128 bit as the digest that every media body
// carries from the moment it is muxed or filled (DESIGN 4.6). Pure.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace relay {

struct Digest128 {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  auto operator<=>(const Digest128&) const = default;
};

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0);
Digest128 digest128(std::string_view bytes);

/// 32 lower-case hexadecimal digits, high half first; the form in logs, ETags and the wire.
std::string to_hex(const Digest128& digest);
std::optional<Digest128> digest_from_hex(std::string_view hex);

/// The digest of a body that arrives in pieces. Not thread-safe; movable.
class DigestStream {
 public:
  DigestStream();
  ~DigestStream();
  DigestStream(DigestStream&&) noexcept;
  DigestStream& operator=(DigestStream&&) noexcept;
  void update(std::string_view bytes);
  Digest128 digest() const;  // of what came so far; may be asked again later

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace relay
