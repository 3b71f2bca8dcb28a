// Transport streams packet by packet, and what must hold of all that comes out of a TsRelay.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/media/ts_packet.hpp"
#include "transcoder/live/pes_marks.hpp"
#include "transcoder/live/ts_relay.hpp"

namespace relay::transcoder::live {

using Packets = std::vector<std::string>;

inline Packets packets_of(std::string_view bytes) {
  Packets packets;
  for (; bytes.size() >= media::ts_packet_bytes; bytes.remove_prefix(media::ts_packet_bytes))
    packets.emplace_back(bytes.substr(0, media::ts_packet_bytes));
  return packets;
}

/// Writes one PID.
class TsBuilder {
 public:
  explicit TsBuilder(int pid) : pid_(pid) {}

  /// A packet with up to 184 bytes of payload, filled up if there are fewer.
  std::string packet(std::string_view payload, bool begins = false) {
    constexpr std::size_t room = 184;
    std::string bytes = {'\x47', static_cast<char>((begins ? 0x40 : 0) | pid_ >> 8),
                         static_cast<char>(pid_)};
    std::size_t filling = room - payload.size();
    bytes += static_cast<char>((filling > 0 ? 0x30 : 0x10) | continuity_++ % 16);
    if (filling > 0) bytes += static_cast<char>(filling - 1);
    if (filling > 1) bytes += '\0';
    if (filling > 2) bytes.append(filling - 2, '\xff');
    return bytes + std::string(payload);
  }
  /// A PES packet of a picture, in packets; `stated`: it says its length.
  Packets pes(std::string_view data, bool stated = false) {
    std::size_t length = stated ? data.size() + 8 : 0;
    std::string bytes("\0\0\1\xe0", 4);
    bytes += {static_cast<char>(length >> 8), static_cast<char>(length), '\x80', '\x80', '\x05'};
    bytes += "\x21\x01\x01\x01\x01" + std::string(data);
    Packets packets;
    for (std::string_view rest = bytes; !rest.empty();) {
      std::string_view payload = rest.substr(0, 184);
      packets.push_back(packet(payload, packets.empty()));
      rest.remove_prefix(payload.size());
    }
    return packets;
  }
  void skip(unsigned packets) { continuity_ += packets; }

 private:
  int pid_;
  unsigned continuity_ = 0;
};

/// A picture of H.264 with so many bytes.
inline std::string h264_picture(std::size_t bytes) {
  std::string unit("\0\0\0\1\x09\xf0\0\0\1\x41\x9a", 11);
  unit.resize(std::max(unit.size(), bytes), 's');
  return unit;
}

/// All that comes out, one unit a packet; arrival is the packet's number. An even PID is H.264, one
/// that leaves 1 by division by 4 is H.265.
inline std::vector<TsPiece> relayed(const Packets& packets, std::string* refusal = nullptr) {
  TsRelay relay;
  auto coding_of = [](int pid) {
    if (pid % 2 == 0) return PictureCoding::h264;
    return pid % 4 == 1 ? PictureCoding::h265 : PictureCoding::other;
  };
  std::vector<TsPiece> pieces;
  auto drain = [&] {
    while (auto piece = relay.next(coding_of)) pieces.push_back(std::move(*piece));
    if (std::string why = relay.take_refusal(); refusal && !why.empty()) *refusal = why;
  };
  for (std::size_t i = 0; i < packets.size(); ++i) {
    relay.add(packets[i], static_cast<std::int64_t>(i));
    drain();
  }
  relay.end();
  drain();
  return pieces;
}

inline bool is_mark(const std::string& bytes) {
  media::TsPacket packet(bytes);
  return bytes == end_of_pes(packet.pid(), packet.continuity());
}

/// The packets of each PID in their order, without the marks that we put between.
inline std::map<int, Packets> by_pid(const Packets& packets) {
  std::map<int, Packets> all;
  for (const std::string& packet : packets)
    if (!is_mark(packet)) all[media::TsPacket(packet).pid()].push_back(packet);
  return all;
}

/// What is wrong with what came out; empty: nothing is lost or changed, and no PID's order, and
/// what is called a whole picture is one PES packet with its end told.
inline std::string flaw_of(const Packets& packets, const std::vector<TsPiece>& pieces) {
  Packets out;
  for (const TsPiece& piece : pieces) {
    Packets now = packets_of(piece.bytes);
    if (now.size() * media::ts_packet_bytes != piece.bytes.size()) return "half a packet";
    out.insert(out.end(), now.begin(), now.end());
    if (!piece.whole_picture) continue;
    if (!is_mark(now.back())) return "a picture without its end";
    now.pop_back();
    for (std::size_t i = 0; i < now.size(); ++i) {
      media::TsPacket packet(now[i]);
      if (packet.pid() != piece.pid) return "a packet of another PID within a picture";
      if ((packet.begins_unit() && !packet.payload().empty()) != (i == 0))
        return "a picture that is not one PES packet";
    }
  }
  return by_pid(out) == by_pid(packets) ? "" : "packets are lost, changed or in another order";
}

}  // namespace relay::transcoder::live
