#include "edge/fleet/peer_key.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <span>

#include "common/base/check.hpp"
#include "common/http/syntax.hpp"

namespace relay::edge::fleet {
namespace {

constexpr std::size_t mac_bytes = 16;

struct FreeContext {
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MAC_CTX, FreeContext>;

void take_in(EVP_MAC_CTX* context, std::string_view text) {
  RELAY_CHECK(EVP_MAC_update(context, reinterpret_cast<const unsigned char*>(text.data()),
                             text.size()) == 1);
}

std::string hex(std::span<const unsigned char> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (unsigned char byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::int64_t seconds_of(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

}  // namespace

struct PeerKey::Keyed {
  Context context;
};

PeerKey::PeerKey(std::string_view secret) {
  if (secret.empty()) return;
  std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> kind(EVP_MAC_fetch(nullptr, "HMAC", nullptr),
                                                         &EVP_MAC_free);
  RELAY_CHECK(kind);
  Context context(EVP_MAC_CTX_new(kind.get()));
  std::array<char, 7> digest{"SHA256"};
  std::array<OSSL_PARAM, 2> settings{
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  RELAY_CHECK(EVP_MAC_init(context.get(), reinterpret_cast<const unsigned char*>(secret.data()),
                           secret.size(), settings.data()) == 1);
  keyed_ = std::make_unique<Keyed>(std::move(context));
}

PeerKey::~PeerKey() = default;

/// Neither a name nor a method has a space or a line's end in it, so no two requests read the same.
std::string PeerKey::mac(std::string_view name_and_time, std::string_view method,
                         std::string_view target) const {
  RELAY_CHECK(keyed_);
  Context context(EVP_MAC_CTX_dup(keyed_->context.get()));
  RELAY_CHECK(context);
  for (std::string_view part : {name_and_time, method, target}) {
    take_in(context.get(), part);
    take_in(context.get(), "\n");
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> out;
  std::size_t size = 0;
  RELAY_CHECK(EVP_MAC_final(context.get(), out.data(), &size, out.size()) == 1);
  return hex(std::span(out).first(mac_bytes));
}

std::string PeerKey::sign(std::string_view name, std::string_view method, std::string_view target,
                          WallTime now) const {
  std::string value = std::string(name) + " " + std::to_string(seconds_of(now));
  return value + " " + mac(value, method, target);
}

std::optional<std::string_view> PeerKey::check(std::string_view value, std::string_view method,
                                               std::string_view target, WallTime now) const {
  if (!keyed_) return std::nullopt;
  std::size_t name_end = value.find(' ');
  std::size_t mac_at = value.rfind(' ');
  if (name_end == value.npos || name_end == 0 || mac_at <= name_end) return std::nullopt;
  auto seconds = http::read_decimal(value.substr(name_end + 1, mac_at - name_end - 1));
  if (!seconds || *seconds > 1ull << 40) return std::nullopt;
  std::int64_t apart = seconds_of(now) - static_cast<std::int64_t>(*seconds);
  if (apart > peer_skew_max.count() || apart < -peer_skew_max.count()) return std::nullopt;
  std::string right = mac(value.substr(0, mac_at), method, target);
  std::string_view given = value.substr(mac_at + 1);
  bool same =
      given.size() == right.size() && CRYPTO_memcmp(given.data(), right.data(), right.size()) == 0;
  if (!same) return std::nullopt;
  return value.substr(0, name_end);
}

}  // namespace relay::edge::fleet
