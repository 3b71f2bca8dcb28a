// A request body of any size becomes a synced file: streamed with back-pressure (nothing is read
// from the socket while the disk is busy), hashed on the way, stopped at its limits.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "common/base/error.hpp"
#include "common/http/message.hpp"
#include "common/net/blocking.hpp"
#include "common/net/handler.hpp"

namespace relay::origin::intake {

struct UploadLimits {
  std::uint64_t size_max = 0;
  std::uint64_t free_space_min = 0;
  /// Free bytes where the upload goes; asked now and again while it runs.
  std::function<Result<std::uint64_t>()> free_bytes;
};

/// A file that is unlinked unless release() was called.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::filesystem::path path) : path_(std::move(path)) {}
  TemporaryFile(TemporaryFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFile& operator=(TemporaryFile&&) = delete;
  ~TemporaryFile();
  const std::filesystem::path& path() const { return path_; }
  void release() { path_.clear(); }

 private:
  std::filesystem::path path_;
};

struct Received {
  TemporaryFile file;
  std::uint64_t bytes = 0;
  std::string sha256;  // hexadecimal
};

/// The SHA-256 that the request promises in Repr-Digest or Content-Digest (RFC 9530), 32 bytes;
/// nullopt when it promises none. Error: a field of that name that can't be read, or two that
/// differ.
Result<std::optional<std::string>> promised_sha256(http::Fields fields);

/// Reads the whole body into `path`, which must not exist. The file is synced at return, but its
/// name is not: publish it. Errors: too_large (413), no_space (507), invalid (a digest or length
/// that does not hold), aborted and timeout (the client stopped). Nothing is left after an error.
/// `received` is told of bytes as they come. What is taken by value is owned by the coroutine.
net::Task<Result<Received>> receive(net::Exchange& exchange, std::filesystem::path path,
                                    UploadLimits limits, net::Blocking& blocking,
                                    std::function<void(std::size_t)> received);

}  // namespace relay::origin::intake
