// SHA-256 of bytes that come in pieces. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace relay::origin::intake {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void update(std::string_view bytes);
  /// 32 bytes; afterwards the object is spent.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// 64 lower-case hexadecimal digits of the text's SHA-256.
std::string sha256_hex(std::string_view text);
/// Two lower-case digits a byte.
std::string hex(std::string_view bytes);

}  // namespace relay::origin::intake
