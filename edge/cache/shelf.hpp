// One LMDB environment with body values, and where those values lie: in its read-only map for
// reading, at the same distance from the start of its data file for sendfile (DESIGN 4.5).
// Writing belongs to the store thread; address() and fd() to everybody.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"
#include "common/store/lmdb.hpp"
#include "edge/cache/layout.hpp"

namespace relay::edge::cache {

class Shelf {
 public:
  /// Errors: corrupt when the environment is damaged, was made for a larger size, or its map is
  /// not its file; unavailable when another process has it.
  static Result<Shelf> open(const std::filesystem::path& folder, std::uint64_t map_bytes);

  store::Env& env() { return env_; }
  store::Table bodies() const { return bodies_; }
  int fd() const { return fd_; }
  const char* address(std::uint64_t file_offset) const { return map_ + file_offset; }
  Result<std::uint64_t> file_bytes() const { return store::size_of(fd_); }
  /// What the file takes on disk; holes take nothing.
  std::uint64_t disk_bytes() const;
  /// Gives the disk space of a chunk back whose erasing has been committed and whose pages nobody
  /// can use any more; LMDB writes a page anew before it uses it again.
  void give_back(std::uint64_t file_offset, std::size_t value_bytes) const;

  /// The file offset of a value just read; corrupt when it is not a run of whole pages.
  Result<std::uint64_t> offset_of(std::string_view value) const;
  /// The file offsets of all chunks of a committed body, in order; corrupt when one is missing.
  Result<std::vector<std::uint64_t>> locate(std::uint64_t id, std::uint64_t body_bytes) const;

 private:
  Shelf(store::Env env, store::Table bodies, int fd, const char* map)
      : env_(std::move(env)), bodies_(bodies), fd_(fd), map_(map) {}
  Result<void> check_first_value() const;

  store::Env env_;
  store::Table bodies_;
  int fd_;
  const char* map_;
};

/// Writes of one round into one environment. Commits by itself whenever the transaction has grown
/// to its limit (a large one would spill pages); finish() commits the rest.
class Pen {
 public:
  explicit Pen(Shelf& shelf) : shelf_(shelf) {}
  /// The transaction to write about `bytes` into next.
  Result<store::WriteTxn*> txn(std::size_t bytes);
  Result<void> finish();
  /// Commits so far that went through.
  unsigned commits() const { return commits_; }

 private:
  Shelf& shelf_;
  std::unique_ptr<store::WriteTxn> open_;
  std::size_t bytes_ = 0;
  unsigned commits_ = 0;
};

}  // namespace relay::edge::cache
