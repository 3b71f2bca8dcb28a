// SHA-2 (FIPS 180-4) of bytes that come in pieces. Not thread-safe; movable.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace relay::http {

enum class Sha { sha256, sha512 };

/// Of a digest.
constexpr std::size_t byte_count(Sha sha) {
  return sha == Sha::sha256 ? 32 : 64;
}

class ShaStream {
 public:
  explicit ShaStream(Sha sha);
  ~ShaStream();
  ShaStream(ShaStream&&) noexcept;
  ShaStream& operator=(ShaStream&&) noexcept;
  void update(std::string_view bytes);
  /// Its bytes; afterwards the object is spent.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace relay::http
