// A short file of records that are on disk before something larger has what they say: an append
// costs one flush, where a synced commit of LMDB costs two. Its owner takes the records over now
// and then, remembers the number of the last one beside what they said, and clears the log.
//
// The file is a row of frames of 512 bytes, the least that a disk writes whole, all written at the
// beginning. Each tells its place and has a checksum, so that an append that was cut off leaves
// every frame as it was or as it was to be: one that is neither was damaged. Clearing writes
// nothing: the next record comes to lie on the first one, and what is left behind it has numbers
// that were taken over. (A frame that the disk takes back to what it was before looks like an
// append that never began.)
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
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
  /// Makes the file, of `size_bytes` (whole frames), if it is not there. The owner has taken over
  /// the records up to number `taken`. Errors: the disk's, also when it does not give the bytes;
  /// corrupt, when the file has another size, or a record that is not taken over is damaged or
  /// missing. An append that was never finished is none.
  static Result<Opened> open(const std::filesystem::path& path, std::size_t size_bytes,
                             std::uint64_t taken);

  /// Whether a record of so many bytes may be appended: there is room, and no append has failed
  /// since the log was cleared (what the disk has of that one, nobody knows).
  bool takes(std::size_t bytes) const;
  /// On disk when it returns, under last() + 1. Only what it takes.
  Result<void> append(std::string_view record);
  /// What was appended is elsewhere by now, and last() is remembered there.
  void clear();

  /// The number of the newest record, 0 before the first; never used twice, not even when its
  /// append failed.
  std::uint64_t last() const { return last_; }
  /// Whether last() was known as taken over when the log was opened or cleared.
  bool all_taken() const { return last_ == taken_; }
  std::size_t used_bytes() const;
  std::size_t size_bytes() const { return size_bytes_; }

 private:
  struct Frame;
  using Frames = std::vector<std::optional<Frame>>;  // nothing: a damaged one
  RedoLog(UniqueFd file, std::size_t size_bytes, std::uint64_t taken)
      : file_(std::move(file)), size_bytes_(size_bytes), last_(taken), taken_(taken) {}
  static Frames frames_of(std::string_view text);
  static Result<std::optional<std::string>> record_at(const Frames& frames, std::size_t at,
                                                      std::uint64_t number);
  Result<std::vector<Record>> read();

  UniqueFd file_;
  std::size_t size_bytes_;
  std::size_t end_ = 0;  // the place of the next record's first frame
  std::uint64_t last_;
  std::uint64_t taken_;
  bool failed_ = false;
};

struct RedoLog::Opened {
  RedoLog log;
  std::vector<Record> records;  // those not taken over, whole and in order
};

}  // namespace relay::store
