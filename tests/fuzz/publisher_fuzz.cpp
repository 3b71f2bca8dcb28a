// Any bytes from whoever says he is a publisher: as the name of a stream, before his key is looked
// at, and as MPEG-TS: however it is cut, only whole packets come out, and none twice.
#include <algorithm>
#include <string>

#include "common/base/check.hpp"
#include "common/media/ts_packet.hpp"
#include "origin/live/stream_key.hpp"
#include "origin/live/ts_units.hpp"

namespace live = relay::origin::live;

namespace {

void read_names(std::string_view bytes) {
  for (auto read : {live::read_stream_name, live::read_stream_id})
    if (auto key = read(bytes)) RELAY_CHECK(!key->tenant.empty() && !key->asset.empty());
}

/// How many bytes of packets come out.
std::size_t cut(std::string_view bytes, std::size_t piece) {
  constexpr std::size_t packet = relay::media::ts_packet_bytes;
  live::TsUnits units;
  std::size_t out = 0;
  auto take = [&](std::string_view unit, live::Unit) {
    RELAY_CHECK(!unit.empty() && unit.size() % packet == 0);
    for (std::size_t at = 0; at < unit.size(); at += packet) RELAY_CHECK(unit[at] == 0x47);
    out += unit.size();
  };
  while (!bytes.empty() && units.add(bytes.substr(0, piece), take))
    bytes.remove_prefix(std::min(piece, bytes.size()));
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_names(bytes);
  for (std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{188}, size + 1})
    RELAY_CHECK(cut(bytes, piece) <= size);
  return 0;
}
