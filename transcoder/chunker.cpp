#include "transcoder/chunker.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace relay::transcoder {

namespace {

constexpr std::array<double, 3> first_segments_s = {1, 2, 2};
constexpr std::int64_t groups_in_lead = 2;  // the two of 2 s; the first is a group of its own
constexpr std::int64_t groups_in_segment = segment_s / 2;

std::int64_t frames_in(double seconds, Fraction rate, bool even) {
  double exact = seconds * rate.value();
  if (even) return std::max<std::int64_t>(2, 2 * std::llround(exact / 2));
  return std::max<std::int64_t>(1, std::llround(exact));
}

std::vector<std::int64_t> cuts_at(Fraction rate, const std::vector<std::int64_t>& keys,
                                  std::int64_t frames) {
  std::vector<std::int64_t> cuts = {0};
  auto seconds = [&](std::int64_t count) { return static_cast<double>(count) / rate.value(); };
  for (std::size_t i = 1; i < keys.size(); ++i) {
    double goal =
        cuts.size() <= first_segments_s.size() ? first_segments_s[cuts.size() - 1] : segment_s;
    double now = seconds(keys[i] - cuts.back());
    double next = seconds((i + 1 < keys.size() ? keys[i + 1] : frames) - cuts.back());
    // Late enough, or the next chance is too late.
    if (now >= goal - 0.05 || next >= segment_s + 0.45) cuts.push_back(keys[i]);
  }
  return cuts;
}

}  // namespace

Chunker Chunker::regular(Fraction rate, bool even) {
  Chunker chunker;
  chunker.rate_ = rate;
  chunker.first_ = frames_in(1, rate, even);
  chunker.group_ = frames_in(2, rate, even);
  return chunker;
}

Chunker Chunker::at_keys(Fraction rate, std::vector<std::int64_t> keys, std::int64_t frames) {
  Chunker chunker;
  chunker.rate_ = rate;
  chunker.cuts_ = cuts_at(rate, keys, frames);
  chunker.keys_ = std::move(keys);
  return chunker;
}

bool Chunker::fits(Fraction rate, const std::vector<std::int64_t>& keys, std::int64_t frames) {
  if (keys.empty() || keys[0] != 0 || frames <= 0) return false;
  std::vector<std::int64_t> cuts = cuts_at(rate, keys, frames);
  cuts.push_back(frames);
  for (std::size_t i = 1; i < cuts.size(); ++i) {
    double seconds = static_cast<double>(cuts[i] - cuts[i - 1]) / rate.value();
    if (seconds >= segment_s + 0.5) return false;
  }
  return true;
}

bool Chunker::is_key(std::int64_t frame) const {
  if (!keys_.empty()) return std::ranges::binary_search(keys_, frame);
  return frame == 0 || (frame >= first_ && (frame - first_) % group_ == 0);
}

std::int64_t Chunker::first_frame(std::int64_t segment) const {
  if (!keys_.empty())
    return segment < static_cast<std::int64_t>(cuts_.size())
               ? cuts_[static_cast<std::size_t>(segment)]
               : INT64_MAX;
  if (segment == 0) return 0;
  if (segment <= groups_in_lead + 1) return first_ + (segment - 1) * group_;
  return first_ + (groups_in_lead + groups_in_segment * (segment - 1 - groups_in_lead)) * group_;
}

std::int64_t Chunker::segment_of(std::int64_t frame) const {
  if (!keys_.empty()) return std::ranges::upper_bound(cuts_, frame) - cuts_.begin() - 1;
  if (frame < first_) return 0;
  std::int64_t group = (frame - first_) / group_;
  if (group < groups_in_lead) return 1 + group;
  return 1 + groups_in_lead + (group - groups_in_lead) / groups_in_segment;
}

}  // namespace relay::transcoder
