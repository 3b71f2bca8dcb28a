#include "common/base/hash.hpp"

#include <fmt/format.h>
#define XXH_STATIC_LINKING_ONLY  // the size of XXH3_state_t
#include <xxhash.h>

#include <charconv>
#include <utility>

#include "common/base/check.hpp"

namespace relay {
namespace {

Digest128 from(const XXH128_hash_t& hash) {
  return Digest128{hash.high64, hash.low64};
}

/// 16 digits of 0–9 a–f; upper case is refused so that a digest has one spelling.
std::optional<std::uint64_t> half_from_hex(std::string_view hex) {
  if (hex.find_first_not_of("0123456789abcdef") != hex.npos) return std::nullopt;
  std::uint64_t value = 0;
  std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
  return value;
}

}  // namespace

struct DigestStream::State {
  XXH3_state_t xxh3;  // 64-byte aligned by its own type; aligned operator new honours that
};

DigestStream::DigestStream() : state_(std::make_unique<State>()) {
  XXH3_INITSTATE(&state_->xxh3);
  XXH3_128bits_reset(&state_->xxh3);
}

DigestStream::~DigestStream() = default;
DigestStream::DigestStream(DigestStream&&) noexcept = default;
DigestStream& DigestStream::operator=(DigestStream&&) noexcept = default;

void DigestStream::update(std::string_view bytes) {
  RELAY_CHECK(state_);
  if (!bytes.empty()) XXH3_128bits_update(&state_->xxh3, bytes.data(), bytes.size());
}

Digest128 DigestStream::digest() const {
  RELAY_CHECK(state_);
  return from(XXH3_128bits_digest(&state_->xxh3));
}

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

Digest128 digest128(std::string_view bytes) {
  return from(XXH3_128bits(bytes.data(), bytes.size()));
}

std::string to_hex(const Digest128& digest) {
  return fmt::format("{:016x}{:016x}", digest.high, digest.low);
}

std::optional<Digest128> digest_from_hex(std::string_view hex) {
  if (hex.size() != 32) return std::nullopt;
  auto high = half_from_hex(hex.substr(0, 16));
  auto low = half_from_hex(hex.substr(16));
  if (!high || !low) return std::nullopt;
  return Digest128{*high, *low};
}

}  // namespace relay
