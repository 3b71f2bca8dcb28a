#include "common/store/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <vector>

namespace relay::store {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> failed(std::string_view verb, const fs::path& path, int errno_value) {
  std::string what = "cannot " + std::string(verb) + " " + path.string();
  Error error = disk_error(std::move(what), errno_value);
  if (errno_value == ENOENT) error.kind = ErrorKind::not_found;
  if (errno_value == EEXIST) error.kind = ErrorKind::conflict;
  if (errno_value == EFBIG) error.kind = ErrorKind::too_large;
  if (errno_value == EMFILE || errno_value == ENFILE) {
    error.kind = ErrorKind::unavailable;
    error.retry = true;
  }
  return std::unexpected(std::move(error));
}

std::unexpected<Error> failed(std::string_view verb, int errno_value) {
  return failed(verb, "an open file", errno_value);
}

template <class Call>
auto uninterrupted(Call call) {
  while (true) {
    auto outcome = call();
    if (outcome >= 0 || errno != EINTR) return outcome;
  }
}

Result<UniqueFd> open_with(const fs::path& path, int flags, std::string_view verb) {
  int fd = uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0644); });
  if (fd < 0) return failed(verb, path, errno);
  return UniqueFd(fd);
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

/// Makes the entries of a folder (a new name, a rename) survive a power cut.
Result<void> sync_folder(const fs::path& folder) {
  auto fd = open_with(folder, O_RDONLY | O_DIRECTORY, "open folder");
  if (!fd) return std::unexpected(fd.error());
  if (uninterrupted([&] { return ::fsync(fd->get()); }) < 0) return failed("sync", folder, errno);
  return {};
}

/// A name beside `path` that no other thread or process takes.
fs::path temporary_beside(const fs::path& path) {
  static std::atomic<std::uint64_t> count{0};
  std::string name = "." + path.filename().string() + "." + std::to_string(::getpid()) + "." +
                     std::to_string(count.fetch_add(1)) + ".tmp";
  return folder_of(path) / name;
}

Result<void> write_and_sync(int fd, std::string_view bytes) {
  auto written = write_all(fd, bytes);
  if (!written) return written;
  return sync(fd);
}

}  // namespace

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void UniqueFd::reset() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Result<UniqueFd> open_read(const fs::path& path) {
  return open_with(path, O_RDONLY, "open");
}

Result<UniqueFd> open_write(const fs::path& path) {
  return open_with(path, O_RDWR, "open");
}

Result<UniqueFd> create_new(const fs::path& path) {
  auto made = make_folders(folder_of(path));
  if (!made) return std::unexpected(made.error());
  return open_with(path, O_RDWR | O_CREAT | O_EXCL, "create");
}

Result<void> write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    auto n = uninterrupted([&] { return ::write(fd, bytes.data(), bytes.size()); });
    if (n < 0) return failed("write", errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Result<void> write_all_at(int fd, std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    auto n = uninterrupted(
        [&] { return ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
    if (n < 0) return failed("write", errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

Result<std::string> read_exactly(int fd, std::uint64_t offset, std::size_t n) {
  std::string bytes(n, '\0');
  std::size_t have = 0;
  while (have < n) {
    auto got = uninterrupted([&] {
      return ::pread(fd, bytes.data() + have, n - have, static_cast<off_t>(offset + have));
    });
    if (got < 0) return failed("read", errno);
    if (got == 0) {
      return fail(ErrorKind::corrupt, ErrorSource::disk,
                  "a file ends at byte " + std::to_string(offset + have) + ", expected at least " +
                      std::to_string(offset + n));
    }
    have += static_cast<std::size_t>(got);
  }
  return bytes;
}

Result<std::string> read_file(const fs::path& path) {
  auto fd = open_read(path);
  if (!fd) return std::unexpected(fd.error());
  std::string bytes;
  std::vector<char> piece(64 * 1024);  // files in /proc have no size to ask for
  while (true) {
    auto got = uninterrupted([&] { return ::read(fd->get(), piece.data(), piece.size()); });
    if (got < 0) return failed("read", path, errno);
    if (got == 0) return bytes;
    bytes.append(piece.data(), static_cast<std::size_t>(got));
  }
}

Result<std::uint64_t> size_of(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) < 0) return failed("ask the size of", errno);
  return static_cast<std::uint64_t>(status.st_size);
}

Result<void> sync(int fd) {
  if (uninterrupted([&] { return ::fsync(fd); }) < 0) return failed("sync", errno);
  return {};
}

Result<void> sync_new(int fd, const fs::path& path) {
  auto synced = sync(fd);
  return synced ? sync_folder(folder_of(path)) : synced;
}

Result<void> sync_data(int fd) {
  if (uninterrupted([&] { return ::fdatasync(fd); }) < 0) return failed("sync", errno);
  return {};
}

Result<void> publish(const fs::path& from, const fs::path& to) {
  auto made = make_folders(folder_of(to));
  if (!made) return made;
  if (::rename(from.c_str(), to.c_str()) < 0) return failed("rename to", to, errno);
  return sync_folder(folder_of(to));
}

Result<void> write_atomically(const fs::path& path, std::string_view bytes) {
  fs::path temporary = temporary_beside(path);
  auto fd = create_new(temporary);
  if (!fd) return std::unexpected(fd.error());
  auto written = write_and_sync(fd->get(), bytes);
  if (written) written = publish(temporary, path);
  if (!written) ::unlink(temporary.c_str());
  return written;
}

Result<void> make_folders(const fs::path& path) {
  std::error_code ignored;
  if (path.empty() || fs::is_directory(path, ignored)) return {};
  fs::path parent = folder_of(path);
  if (parent != path) {
    auto made = make_folders(parent);
    if (!made) return made;
  }
  if (::mkdir(path.c_str(), 0755) == 0) return sync_folder(parent);
  int code = errno;
  // Another thread may have been quicker; a file of that name is an error.
  if (code == EEXIST && fs::is_directory(path, ignored)) return {};
  return failed("make folder", path, code);
}

Result<void> remove_file(const fs::path& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return failed("remove", path, errno);
}

Result<std::uint64_t> free_bytes(const fs::path& path) {
  struct statvfs status{};
  if (uninterrupted([&] { return ::statvfs(path.c_str(), &status); }) < 0) {
    return failed("ask for the free space of", path, errno);
  }
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

}  // namespace relay::store
