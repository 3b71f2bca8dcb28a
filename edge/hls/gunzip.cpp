#include "edge/hls/gunzip.hpp"

#include <zlib.h>

#include <algorithm>

#include "common/base/check.hpp"

namespace relay::edge::hls {

std::optional<std::string> gunzip(std::string_view packed, std::size_t bytes_max) {
  constexpr int window_bits_gzip = 15 + 16;  // 16: a gzip header, nothing else
  constexpr std::size_t step_bytes = 64 * 1024;
  z_stream stream{};
  RELAY_CHECK(inflateInit2(&stream, window_bits_gzip) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string text;
  int state = Z_OK;
  while (state == Z_OK && text.size() <= bytes_max) {
    std::size_t before = text.size();
    text.resize(std::min(bytes_max + 1, before + step_bytes));
    stream.next_out = reinterpret_cast<Bytef*>(text.data() + before);
    stream.avail_out = static_cast<uInt>(text.size() - before);
    state = inflate(&stream, Z_NO_FLUSH);
    text.resize(text.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  bool whole = state == Z_STREAM_END && stream.avail_in == 0;
  if (!whole || text.size() > bytes_max) return std::nullopt;
  return text;
}

}  // namespace relay::edge::hls
