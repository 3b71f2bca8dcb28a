#include "transcoder/live/access_unit.hpp"

#include "transcoder/nal.hpp"

namespace relay::transcoder::live {

namespace {

bool is_between(int value, int least, int most) {
  return value >= least && value <= most;
}

}  // namespace

void AccessUnitScan::add(std::string_view bytes) {
  for (char byte : bytes) take(static_cast<std::uint8_t>(byte));
}

void AccessUnitScan::take(std::uint8_t byte) {
  if (head_bytes_ < head_wanted_) {
    head_[head_bytes_++] = byte;
    if (head_bytes_ == head_wanted_) judge();
  }
  if (byte == 1 && zeros_ >= 2) {
    begun_ = true;
    head_bytes_ = 0;
    head_wanted_ = coding_ == PictureCoding::h265 ? 3 : 2;
  } else if (byte != 0 && !begun_) {
    odd_ = true;
  }
  zeros_ = byte == 0 ? zeros_ + 1 : 0;
}

void AccessUnitScan::judge() {
  if (coding_ == PictureCoding::h264) return judge_h264();
  if (coding_ == PictureCoding::h265) return judge_h265();
  odd_ = true;
}

// The first slice of a picture begins with macroblock 0, which is coded as a single 1.
void AccessUnitScan::judge_h264() {
  int type = head_[0] & 0x1f;
  constexpr int other_slice = 1, partition = 2, enhancement = 6, prefix = 14, reserved = 18;
  if (type == other_slice || type == partition || type == unit_idr) return slice(head_[1] & 0x80);
  if (is_between(type, enhancement, unit_delimiter) || is_between(type, prefix, reserved))
    before_slices();
}

// Its head has two bytes, and a slice begins with a flag whether it is the picture's first.
void AccessUnitScan::judge_h265() {
  int type = head_[0] >> 1 & 0x3f;
  bool of_another_layer = (head_[0] & 1) != 0 || head_[1] >> 3 != 0;
  constexpr int slice_last = 31, parameters = 32, delimiter = 35, prefix_enhancement = 39;
  if (of_another_layer) return;
  if (type <= slice_last) return slice(head_[2] & 0x80);
  if (is_between(type, parameters, delimiter) || type == prefix_enhancement ||
      is_between(type, 41, 44) || is_between(type, 48, 55))  // reserved for the same
    before_slices();
}

void AccessUnitScan::slice(bool first) {
  if (first) ++pictures_;
  if (pictures_ != 1) odd_ = true;
}

void AccessUnitScan::before_slices() {
  if (pictures_ > 0) odd_ = true;
}

}  // namespace relay::transcoder::live
