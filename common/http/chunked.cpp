#include "common/http/chunked.hpp"

#include <algorithm>

#include "common/base/limits.hpp"
#include "common/http/message.hpp"
#include "common/http/syntax.hpp"

namespace relay::http {
namespace {

constexpr int size_digits_max = 16;

/// What may stand in an extension or a trailer's value: all but control bytes, tab allowed.
bool is_text(char c) {
  auto byte = static_cast<unsigned char>(c);
  return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
}

}  // namespace

ChunkedReader::Step ChunkedReader::read(std::string_view bytes) {
  Step step;
  while (step.consumed < bytes.size() && state_ != State::done && state_ != State::broken) {
    if (state_ != State::data) {
      state_ = advance(bytes[step.consumed++]);
      continue;
    }
    step.payload = bytes.substr(step.consumed, std::min<std::uint64_t>(left_, bytes.size()));
    step.consumed += step.payload.size();
    left_ -= step.payload.size();
    if (left_ == 0) state_ = State::data_cr;
    return step;
  }
  return step;
}

ChunkedReader::State ChunkedReader::advance(char byte) {
  switch (state_) {
    case State::size:
      return after_size(byte);
    case State::extension:
      if (byte == '\r') return State::size_lf;
      if (!is_text(byte) || ++line_bytes_ > limits::chunk_line_bytes_max) return State::broken;
      return State::extension;
    case State::size_lf:
      if (byte != '\n') return State::broken;
      digits_ = 0;
      line_bytes_ = 0;
      return left_ > 0 ? State::data : State::trailer;
    case State::data_cr:
      return byte == '\r' ? State::data_lf : State::broken;
    case State::data_lf:
      return byte == '\n' ? State::size : State::broken;
    case State::trailer:
      return in_trailer(byte);
    default:
      return State::broken;
  }
}

ChunkedReader::State ChunkedReader::after_size(char byte) {
  int digit = hex_value(byte);
  if (digit >= 0) {
    if (++digits_ > size_digits_max) return State::broken;
    left_ = left_ << 4 | static_cast<std::uint64_t>(digit);
    return State::size;
  }
  if (digits_ == 0) return State::broken;
  if (byte == '\r') return State::size_lf;
  return byte == ';' ? State::extension : State::broken;
}

ChunkedReader::State ChunkedReader::in_trailer(char byte) {
  if (++line_bytes_ > limits::chunk_line_bytes_max) return State::broken;
  if (trailer_cr_) {
    if (byte != '\n') return State::broken;
    if (trailer_column_ == 0) return State::done;
    if (!trailer_named_) return State::broken;
    trailer_column_ = 0;
    trailer_named_ = trailer_cr_ = false;
    return State::trailer;
  }
  if (byte == '\r') {
    trailer_cr_ = true;
    return State::trailer;
  }
  bool ends_name = !trailer_named_ && byte == ':' && trailer_column_ > 0;
  if (!ends_name && !(trailer_named_ ? is_text(byte) : is_token_byte(byte))) return State::broken;
  if (ends_name) return end_trailer_name();
  if (!trailer_named_ && trailer_column_ < trailer_name_.size()) {
    trailer_name_[trailer_column_] = byte;
  }
  ++trailer_column_;
  return State::trailer;
}

ChunkedReader::State ChunkedReader::end_trailer_name() {
  std::string_view name(trailer_name_.data(), std::min(trailer_column_, trailer_name_.size()));
  trailer_named_ = true;
  ++trailer_column_;
  for (std::string_view framing : {"content-length", "transfer-encoding", "host"}) {
    if (same_name(name, framing)) return State::broken;
  }
  return State::trailer;
}

}  // namespace relay::http
