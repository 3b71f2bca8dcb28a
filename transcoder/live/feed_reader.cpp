#include "transcoder/live/feed_reader.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

namespace relay::transcoder::live {

namespace {
constexpr std::size_t read_bytes = 256 * 1024;
}

Result<bool> FeedReader::read(int wait_ms,
                              const std::function<void(const media::FeedFrame&)>& take) {
  pollfd waiting{fd_, POLLIN, 0};
  if (poll(&waiting, 1, wait_ms) <= 0) return true;
  std::size_t had = buffer_.size();
  buffer_.resize(had + read_bytes);
  ssize_t got = ::read(fd_, buffer_.data() + had, read_bytes);
  buffer_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  if (got < 0) return std::unexpected(disk_error("the feed cannot be read", errno));
  if (got == 0) return false;
  std::string_view rest = buffer_;
  for (;;) {
    auto taken = media::take_feed_frame(rest);
    if (!taken) return std::unexpected(taken.error());
    if (!*taken) break;
    take((*taken)->frame);
    rest.remove_prefix((*taken)->bytes);
  }
  buffer_.erase(0, buffer_.size() - rest.size());
  return true;
}

}  // namespace relay::transcoder::live
