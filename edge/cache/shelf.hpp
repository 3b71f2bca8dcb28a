// One LMDB environment with body values, and where those values lie: at an offset of its data file,
// for sendfile (DESIGN 4.5), and in a map of that file for reading. The map and the descriptor are
// the shelf's own, so that pins outlive an environment that has to be opened anew.
// Writing belongs to the store thread; address() and fd() to everybody.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"
#include "common/store/file_map.hpp"
#include "common/store/lmdb.hpp"
#include "common/store/page_check.hpp"
#include "edge/cache/layout.hpp"

namespace relay::edge::cache {

/// Of a shelf that lies in the folder.
inline std::filesystem::path data_path(const std::filesystem::path& folder) {
  return folder / "data.mdb";
}
/// Of the header records, in the small one.
inline constexpr const char* objects_table = "objects_by_id";
/// Where an older format had them, keyed by their hashes: such a store is begun anew.
inline constexpr const char* older_objects_table = "objects";

class Shelf {
 public:
  /// Errors: corrupt when the environment is damaged, was made for a larger size, or its map is
  /// not its file; unavailable when another process has it; the disk's, when it cannot be read.
  static Result<Shelf> open(const std::filesystem::path& folder, std::uint64_t map_bytes);
  /// Opens the environment anew: it is as after its last commit, or the one before if that failed.
  /// What address() and fd() gave stays. Nobody else uses env() meanwhile; after an error it is
  /// closed.
  Result<void> reopen();
  /// As after a reopen() that failed.
  void close() { env_.close(folder_); }

  store::Env& env() { return env_; }
  const store::Env& env() const { return env_; }
  store::Table bodies() const { return bodies_; }
  int fd() const { return file_.fd(); }
  const char* address(std::uint64_t file_offset) const { return file_.base() + file_offset; }
  Result<std::uint64_t> file_bytes() const { return store::size_of(fd()); }
  /// What the file takes on disk; holes take nothing.
  std::uint64_t disk_bytes() const;
  /// Gives the disk space of a chunk back whose erasing has been committed and whose pages nobody
  /// can use any more; LMDB writes a page anew before it uses it again.
  void give_back(std::uint64_t file_offset, std::size_t value_bytes) const;

  /// The file offset of a value that is being written; it can be read there after the commit.
  static std::uint64_t offset_to_be(const char* value) {
    return store::page_of_run(value) * page_bytes + page_header_bytes;
  }
  /// The file offset of a value just read; corrupt when it is not a run of whole pages.
  Result<std::uint64_t> offset_of(std::string_view value) const;
  /// The file offsets of all chunks of a committed body, in order; corrupt when one is missing.
  Result<std::vector<std::uint64_t>> locate(std::uint64_t id, std::uint64_t body_bytes) const;

 private:
  Shelf(std::filesystem::path folder, std::uint64_t map_bytes, store::Env env, store::FileMap file)
      : folder_(std::move(folder)),
        map_bytes_(map_bytes),
        env_(std::move(env)),
        file_(std::move(file)) {}
  Result<void> look_in();
  Result<bool> agrees(std::uint64_t offset) const;
  Result<void> check_first_value() const;

  std::filesystem::path folder_;
  std::uint64_t map_bytes_;
  store::Env env_;
  store::FileMap file_;
  store::Table bodies_;
  const char* lmdb_map_ = nullptr;  // LMDB's own, where its values are found
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
