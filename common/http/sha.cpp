#include "common/http/sha.hpp"

#include <openssl/evp.h>

#include "common/base/check.hpp"

namespace relay::http {

struct ShaStream::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

ShaStream::ShaStream(Sha sha) : state_(std::make_unique<State>()) {
  RELAY_CHECK(state_->context);
  const EVP_MD* kind = sha == Sha::sha256 ? EVP_sha256() : EVP_sha512();
  RELAY_CHECK(EVP_DigestInit_ex(state_->context, kind, nullptr) == 1);
}

ShaStream::~ShaStream() = default;
ShaStream::ShaStream(ShaStream&&) noexcept = default;
ShaStream& ShaStream::operator=(ShaStream&&) noexcept = default;

void ShaStream::update(std::string_view bytes) {
  RELAY_CHECK(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1);
}

std::string ShaStream::finish() {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  auto* into = reinterpret_cast<unsigned char*>(digest.data());
  RELAY_CHECK(EVP_DigestFinal_ex(state_->context, into, &size) == 1);
  digest.resize(size);
  return digest;
}

}  // namespace relay::http
