// Any packets from an encoder: none is lost, changed or moved within its PID, and what is called a
// whole picture is one.
#include <string>

#include "common/base/check.hpp"
#include "tests/transcoder/ts_builder.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace relay;
  using namespace relay::transcoder::live;
  // A packet is short here, so that an input holds many: filled up in the middle of its payload.
  constexpr std::size_t short_bytes = 32;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  Packets packets;
  for (; rest.size() >= short_bytes; rest.remove_prefix(short_bytes)) {
    std::string packet(rest.substr(0, short_bytes));
    packet[0] = static_cast<char>(media::ts_sync);
    packet[1] &= '\xc1';  // few PIDs
    packet[2] &= '\x03';
    packets.push_back(packet + std::string(media::ts_packet_bytes - short_bytes, 's'));
  }
  RELAY_CHECK(flaw_of(packets, relayed(packets)).empty());
  return 0;
}
