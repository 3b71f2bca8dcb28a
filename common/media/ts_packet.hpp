// Packets of an MPEG transport stream and the heads of PES packets in them (ISO/IEC 13818-1 2.4.3).
// Pure; hostile bytes are safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace relay::media {

inline constexpr std::size_t ts_packet_bytes = 188;
inline constexpr std::uint8_t ts_sync = 0x47;

/// A view of ts_packet_bytes.
class TsPacket {
 public:
  explicit TsPacket(std::string_view bytes) : bytes_(bytes) {}

  std::string_view bytes() const { return bytes_; }
  int pid() const { return (at(1) & 0x1f) << 8 | at(2); }
  /// Its payload begins with the first byte of a PES packet or section.
  bool begins_unit() const { return (at(1) & 0x40) != 0; }
  /// 0 to 15: with each packet of a PID that has payload one more.
  int continuity() const { return at(3) & 0x0f; }
  /// Empty: none, or the adaptation field leaves no room for it.
  std::string_view payload() const;

  bool random_access() const { return (flags() & 0x40) != 0; }
  /// The continuity begins anew.
  bool discontinuity() const { return (flags() & 0x80) != 0; }
  /// Filled up to its length: there was no more payload than that at hand.
  bool stuffed() const;
  /// Whoever sent it on saw errors in it.
  bool transport_error() const { return (at(1) & 0x80) != 0; }

 private:
  std::uint8_t at(std::size_t index) const { return static_cast<std::uint8_t>(bytes_[index]); }
  bool has_adaptation() const { return (at(3) & 0x20) != 0; }
  std::uint8_t flags() const { return has_adaptation() && at(4) > 0 ? at(5) : 0; }

  std::string_view bytes_;
};

/// How the PES packet of a picture begins.
struct PictureHead {
  std::size_t head_bytes = 0;  // after it the picture's own bytes begin
  std::size_t data_bytes = 0;  // how many these are; 0: as many as come
  std::string_view times;      // as they are coded: when it is shown, or also when it is decoded
  bool scrambled = false;
};

/// Whether the payload of a packet that begins a unit begins a PES packet of a video stream.
bool begins_picture(std::string_view payload);
/// nullopt: it does not, or the head is not whole.
std::optional<PictureHead> read_picture_head(std::string_view payload);

}  // namespace relay::media
