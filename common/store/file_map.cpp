#include "common/store/file_map.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>

namespace relay::store {

Result<FileMap> FileMap::open(const std::filesystem::path& path, std::uint64_t bytes) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd) return std::unexpected(disk_error("cannot open " + path.string(), errno));
  // Else sendfile asks at every 16 pages whether the file's time of access is due for an update.
  // (Not for files of somebody else: an error, and nothing is lost.)
  ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NOATIME);
  void* at = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (at == MAP_FAILED) return std::unexpected(disk_error("cannot map " + path.string(), errno));
  ::madvise(at, bytes, MADV_RANDOM);
  return FileMap(std::move(fd), static_cast<char*>(at), bytes);
}

FileMap::~FileMap() {
  if (base_) ::munmap(base_, bytes_);
}

}  // namespace relay::store
