// A short file of records that are on disk before something larger has what they say: an append
// costs one flush, where a synced commit of LMDB costs two. Its owner takes the records over now
// and then, remembers the number of the last one beside what they said, and clears the log.
//
// The file has its full size from the beginning, written with zeros, so that an append changes no
// metadata that would be flushed too. Clearing writes nothing: the next record comes to lie on the
// first one, and what is left behind it no longer goes on from its number.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"
#include "common/store/file.hpp"

namespace relay::store {

/// Not thread-safe. Calls wait for the disk.
class RedoLog {
 public:
  struct Record {
    std::uint64_t number = 0;
    std::string bytes;
  };
  struct Opened;
  /// Makes the file, of `size_bytes`, if it is not there. Errors: the disk's; corrupt, when it has
  /// another size, cannot be read in full, or a record before the last is damaged (told by the one
  /// behind it; where its length is damaged, what follows is not found).
  static Result<Opened> open(const std::filesystem::path& path, std::size_t size_bytes);

  /// Whether a record of so many bytes may be appended: there is room, and no append has failed
  /// since the log was cleared (what the disk has of that one, nobody knows).
  bool takes(std::size_t bytes) const;
  /// On disk when it returns, under last() + 1. Only what it takes.
  Result<void> append(std::string_view record);
  /// What was appended is elsewhere by now.
  void clear();

  /// The number of the newest record, 0 before the first; never used twice.
  std::uint64_t last() const { return last_; }
  std::size_t used_bytes() const { return end_; }
  std::size_t size_bytes() const { return size_bytes_; }
  /// At least: for an owner that has taken over up to this number. Clear the log before the next
  /// append.
  void go_on_from(std::uint64_t number);

 private:
  RedoLog(UniqueFd file, std::size_t size_bytes)
      : file_(std::move(file)), size_bytes_(size_bytes) {}
  Result<std::vector<Record>> read();

  UniqueFd file_;
  std::size_t size_bytes_;
  std::size_t end_ = 0;  // where the next record goes
  std::uint64_t last_ = 0;
  bool failed_ = false;
};

struct RedoLog::Opened {
  RedoLog log;
  std::vector<Record> records;  // whole ones, in order; the last append may be missing if it was
                                // never finished
};

}  // namespace relay::store
