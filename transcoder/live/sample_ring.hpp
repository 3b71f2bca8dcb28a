// The sound of the last seconds by its place on the channel clock. Pure.
#pragma once

#include <cstdint>
#include <vector>

namespace relay::transcoder::live {

class SampleRing {
 public:
  /// Holds the newest `room` samples.
  explicit SampleRing(std::size_t room) : left_(room), right_(room) {}

  /// Places samples from number `at` on; a gap before them is silence, what overlaps is replaced.
  void write(std::int64_t at, const std::vector<float>& left, const std::vector<float>& right);
  /// Samples `at` … `at + count`; silence where there are none. How many there were.
  std::int64_t read(std::int64_t at, std::int64_t count, float* left, float* right) const;
  std::int64_t end() const { return end_; }

 private:
  std::size_t slot(std::int64_t at) const { return static_cast<std::size_t>(at) % left_.size(); }
  std::vector<float> left_, right_;
  std::int64_t begin_ = 0, end_ = 0;  // of what is held
};

}  // namespace relay::transcoder::live
