// What was asked and what was missing, lately: sums that fade, so that last week does not outvote
// today. Pure.
#pragma once

#include <cstdint>

namespace relay::edge::policy {

/// Outcome of one request.
struct Outcome {
  bool hit = false;
  std::uint64_t written_bytes = 0;  // into the store
};

struct Tally {
  double requests = 0, bytes = 0;
  double misses = 0, missed_bytes = 0;
  double written_bytes = 0;

  /// `weight`: for how many requests it stands. What was written is counted as it is.
  void add(std::uint64_t asked_bytes, const Outcome& outcome, double weight = 1) {
    double size = weight * static_cast<double>(asked_bytes);
    requests += weight;
    bytes += size;
    written_bytes += static_cast<double>(outcome.written_bytes);
    if (outcome.hit) return;
    misses += weight;
    missed_bytes += size;
  }
  void add(const Tally& other) {
    requests += other.requests, bytes += other.bytes;
    misses += other.misses, missed_bytes += other.missed_bytes;
    written_bytes += other.written_bytes;
  }
  void fade(double kept) {
    for (double* sum : {&requests, &bytes, &misses, &missed_bytes, &written_bytes}) *sum *= kept;
  }
  double object_miss() const { return requests > 0 ? misses / requests : 1; }
  double byte_miss() const { return bytes > 0 ? missed_bytes / bytes : 1; }
  double written() const { return bytes > 0 ? written_bytes / bytes : 0; }
};

}  // namespace relay::edge::policy
