#include "origin/gzip.hpp"

#include <zlib.h>

#include "common/base/check.hpp"

namespace relay::origin {

std::string gzip(std::string_view text) {
  constexpr int window_bits_gzip = 15 + 16;  // 16: a gzip header without time or name
  constexpr int memory_level = 8;
  z_stream stream{};
  RELAY_CHECK(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_bits_gzip,
                           memory_level, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  RELAY_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace relay::origin
