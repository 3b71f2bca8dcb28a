// The chunked coding (RFC 9112 7.1), reading. Pure: bytes in, spans of payload out, in place.
// Strict: CRLF only, sizes of at most 16 hexadecimal digits; extensions and trailers are skipped
// within a limit and never forwarded. A trailer that speaks of framing breaks the body (RFC 9110
// 6.5.1): some parsers would take its word.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace relay::http {

class ChunkedReader {
 public:
  struct Step {
    std::size_t consumed = 0;  // bytes of the input that are done with
    std::string_view payload;  // a part of the consumed bytes; may be empty
  };
  /// Takes from the front of `bytes`; call again with the rest. A step without progress
  /// (consumed 0) wants more input.
  Step read(std::string_view bytes);
  bool done() const { return state_ == State::done; }
  bool broken() const { return state_ == State::broken; }

 private:
  enum class State { size, extension, size_lf, data, data_cr, data_lf, trailer, done, broken };
  /// One byte of framing (every state but data); the next state.
  State advance(char byte);
  State after_size(char byte);
  State in_trailer(char byte);
  State end_trailer_name();

  State state_ = State::size;
  std::uint64_t left_ = 0;
  int digits_ = 0;
  std::size_t line_bytes_ = 0;  // of the current size line or of the trailers so far
  std::size_t trailer_column_ = 0;
  bool trailer_named_ = false;           // the line's colon was seen
  std::array<char, 18> trailer_name_{};  // its first bytes, enough to know the names of framing
  bool trailer_cr_ = false;
};

}  // namespace relay::http
