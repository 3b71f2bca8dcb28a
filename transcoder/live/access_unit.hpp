// Whether bytes are exactly one coded picture with all that belongs to it: an access unit (H.264
// 7.4.1.2.3, H.265 7.4.2.4.4) from its first byte to its last. Pure; hostile bytes are safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace relay::transcoder::live {

/// `other`: nothing is known of it here.
enum class PictureCoding { other, h264, h265 };

/// Takes the bytes of an Annex B stream piece by piece.
class AccessUnitScan {
 public:
  explicit AccessUnitScan(PictureCoding coding) : coding_(coding) {}

  void add(std::string_view bytes);
  /// Of what was added so far: it begins with a NAL unit and holds the first slice of one picture,
  /// of no second one, and behind its slices nothing that belongs before the next picture's.
  bool is_one() const { return !odd_ && pictures_ == 1; }

 private:
  void take(std::uint8_t byte);
  void judge();
  void judge_h264();
  void judge_h265();
  void slice(bool first);
  void before_slices();

  PictureCoding coding_;
  std::size_t zeros_ = 0;               // in a row, the last bytes
  std::array<std::uint8_t, 3> head_{};  // of the NAL unit at hand
  std::size_t head_bytes_ = 0, head_wanted_ = 0;
  bool begun_ = false;  // the first start code was there
  bool odd_ = false;
  int pictures_ = 0;  // first slices
};

}  // namespace relay::transcoder::live
