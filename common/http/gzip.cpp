#include "common/http/gzip.hpp"

#include <zlib.h>

#include <algorithm>

#include "common/base/check.hpp"

namespace relay::http {
namespace {

constexpr int window_bits_gzip = 15 + 16;  // 16: a gzip header, nothing else

}  // namespace

std::string gzip(std::string_view text) {
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

std::optional<std::string> gunzip(std::string_view packed, std::size_t bytes_max) {
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

}  // namespace relay::http
