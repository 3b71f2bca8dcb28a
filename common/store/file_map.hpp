// A file seen as memory, to be read only. The place and the descriptor stay as long as the object;
// reading where the file has no bytes, or where the disk gives none, is a SIGBUS.
#pragma once

#include <cstdint>
#include <filesystem>
#include <utility>

#include "common/base/error.hpp"
#include "common/store/file.hpp"

namespace relay::store {

class FileMap {
 public:
  /// Of `bytes`, more than the file has if it is to grow into them. Nothing is read ahead, and the
  /// file's time of access is left alone. The descriptor may write, for holes.
  static Result<FileMap> open(const std::filesystem::path& path, std::uint64_t bytes);
  FileMap(FileMap&& other) noexcept
      : fd_(std::move(other.fd_)),
        base_(std::exchange(other.base_, nullptr)),
        bytes_(other.bytes_) {}
  FileMap& operator=(FileMap&&) = delete;
  ~FileMap();
  const char* base() const { return base_; }
  int fd() const { return fd_.get(); }

 private:
  FileMap(UniqueFd fd, char* base, std::uint64_t bytes)
      : fd_(std::move(fd)), base_(base), bytes_(bytes) {}
  UniqueFd fd_;
  char* base_;
  std::uint64_t bytes_;
};

}  // namespace relay::store
