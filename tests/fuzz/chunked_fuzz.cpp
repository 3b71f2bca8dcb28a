// Any bytes as a chunked body: how the input is cut never changes what is read.
#include <algorithm>
#include <string>

#include "common/base/check.hpp"
#include "common/http/chunked.hpp"

namespace {

struct Outcome {
  std::string payload;
  std::size_t consumed = 0;
  bool done = false;
  bool broken = false;
  bool operator==(const Outcome&) const = default;
};

Outcome read_in_pieces(std::string_view bytes, std::size_t piece) {
  relay::http::ChunkedReader reader;
  Outcome outcome;
  while (outcome.consumed < bytes.size() && !reader.done() && !reader.broken()) {
    auto step = reader.read(bytes.substr(outcome.consumed, piece));
    RELAY_CHECK(step.consumed > 0 && step.consumed <= bytes.size() - outcome.consumed);
    RELAY_CHECK(step.payload.size() <= step.consumed);
    outcome.payload += step.payload;
    outcome.consumed += step.consumed;
  }
  outcome.done = reader.done();
  outcome.broken = reader.broken();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  Outcome whole = read_in_pieces(bytes, std::string_view::npos);
  RELAY_CHECK(!(whole.done && whole.broken));
  RELAY_CHECK(!whole.done || bytes.substr(0, whole.consumed).ends_with("\r\n"));
  RELAY_CHECK(read_in_pieces(bytes, 1) == whole);
  RELAY_CHECK(read_in_pieces(bytes, std::max<std::size_t>(1, data[0])) == whole);
  return 0;
}
