// Files: descriptors that close themselves, reads and writes that finish, and publication that is
// atomic and durable (write, fsync, rename, fsync of the folder). The only place that sees errno.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/error.hpp"

namespace relay::store {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  ~UniqueFd() { reset(); }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  void reset();
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

Result<UniqueFd> open_read(const std::filesystem::path& path);
/// Of a file that is there, for write_all_at() and reading.
Result<UniqueFd> open_write(const std::filesystem::path& path);
/// Creates the file (and missing folders); an existing one is an error of kind conflict.
Result<UniqueFd> create_new(const std::filesystem::path& path);
Result<void> write_all(int fd, std::string_view bytes);
Result<void> write_all_at(int fd, std::string_view bytes, std::uint64_t offset);
/// Exactly n bytes or an error (kind corrupt at an early end of file).
Result<std::string> read_exactly(int fd, std::uint64_t offset, std::size_t n);
Result<std::string> read_file(const std::filesystem::path& path);
Result<std::uint64_t> size_of(int fd);
Result<void> sync(int fd);
/// fsync of a file that create_new() made, and of its folder: both bytes and name survive.
Result<void> sync_new(int fd, const std::filesystem::path& path);
/// Its bytes; of what is known about it only what it takes to read them.
Result<void> sync_data(int fd);
/// After fsync of the file: rename `from` to `to` and fsync the folder of `to`.
Result<void> publish(const std::filesystem::path& from, const std::filesystem::path& to);
/// write + fsync + rename: a whole small file becomes visible at once or not at all.
Result<void> write_atomically(const std::filesystem::path& path, std::string_view bytes);
Result<void> make_folders(const std::filesystem::path& path);
/// Removing what is not there is fine.
Result<void> remove_file(const std::filesystem::path& path);
/// Bytes free for us on the file system that holds the path.
Result<std::uint64_t> free_bytes(const std::filesystem::path& path);

}  // namespace relay::store
