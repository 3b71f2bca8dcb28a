// Reads the feed (common/media/feed.hpp) from its descriptor and hands on its frames. It always
// reads on: who cannot keep up must drop.
#pragma once

#include <functional>
#include <string>

#include "common/base/error.hpp"
#include "common/media/feed.hpp"

namespace relay::transcoder::live {

/// One thread.
class FeedReader {
 public:
  /// Borrows `fd`.
  explicit FeedReader(int fd) : fd_(fd) {}

  /// Waits for bytes, `wait_ms` at most, and gives every whole frame to `take`; false at the end
  /// of the feed. Errors: the descriptor cannot be read, or it is no feed (kind corrupt).
  Result<bool> read(int wait_ms, const std::function<void(const media::FeedFrame&)>& take);

 private:
  int fd_;
  std::string buffer_;  // at most one frame and one read
};

}  // namespace relay::transcoder::live
