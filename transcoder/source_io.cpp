#include "transcoder/source_io.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace relay::transcoder {

namespace {
constexpr int io_buffer_bytes = 256 * 1024;
}

SourceIo::SourceIo(int fd, SourceWindow window, const StopSignal& stop)
    : fd_(fd), window_(window), stop_(stop) {
  auto* buffer = static_cast<unsigned char*>(av_malloc(io_buffer_bytes));
  if (!buffer) av::out_of_memory("a buffer");
  io_.reset(avio_alloc_context(buffer, io_buffer_bytes, 0, this, &SourceIo::read, nullptr,
                               &SourceIo::seek));
  if (!io_) av::out_of_memory("a buffer");
}

int SourceIo::read(void* self, std::uint8_t* into, int room) {
  auto& io = *static_cast<SourceIo*>(self);
  if (io.stop_.stopped() || io.stop_.late()) return AVERROR_EXIT;
  std::int64_t wanted = std::min<std::int64_t>(room, io.window_.bytes - io.position_);
  if (wanted <= 0) return AVERROR_EOF;
  ssize_t got;
  do {
    got = pread(io.fd_, into, static_cast<std::size_t>(wanted), io.window_.offset + io.position_);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    io.healthy_ = false;
    return AVERROR(EIO);
  }
  if (got == 0) return AVERROR_EOF;
  io.position_ += got;
  return static_cast<int>(got);
}

std::int64_t SourceIo::seek(void* self, std::int64_t offset, int whence) {
  auto& io = *static_cast<SourceIo*>(self);
  switch (whence & ~AVSEEK_FORCE) {
    case AVSEEK_SIZE:
      return io.window_.bytes;
    case SEEK_SET:
      break;
    case SEEK_CUR:
      offset += io.position_;
      break;
    case SEEK_END:
      offset += io.window_.bytes;
      break;
    default:
      return AVERROR(EINVAL);
  }
  if (offset < 0) return AVERROR(EINVAL);
  return io.position_ = offset;
}

}  // namespace relay::transcoder
