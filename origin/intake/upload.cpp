#include "origin/intake/upload.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <vector>

#include "common/base/log.hpp"
#include "common/http/sha.hpp"
#include "common/http/structured_field.hpp"
#include "common/store/file.hpp"
#include "origin/intake/sha256.hpp"

namespace relay::origin::intake {
namespace {

constexpr std::size_t piece_bytes = 256 * 1024;
constexpr std::uint64_t space_check_bytes = 16ull << 20;  // between looks at the free space
constexpr std::uint64_t flush_bytes = 8ull << 20;  // written back early, so that the sync is short

Result<std::optional<std::string>> sha256_in(http::Fields fields, std::string_view name) {
  std::string text = http::joined(fields, name);
  if (text.empty()) return std::nullopt;
  auto dictionary = http::structured::read_dictionary(text);
  if (!dictionary) {
    return bad_input(
        fmt::format("{} is not a dictionary of digests; write sha-256=:BASE64:", name));
  }
  if (!http::structured::find(*dictionary, "sha-256")) return std::nullopt;
  const auto* bytes = http::structured::find_value<http::structured::Bytes>(*dictionary, "sha-256");
  if (!bytes || bytes->data.size() != 32) {
    return bad_input(fmt::format("the sha-256 in {} is not 32 bytes in base64", name));
  }
  return bytes->data;
}

/// The file side of an upload; its members block.
class Sink {
 public:
  Sink(std::filesystem::path path, UploadLimits limits)
      : file_(std::move(path)), limits_(std::move(limits)) {}

  Result<void> open(std::optional<std::uint64_t> length) {
    if (length && *length > limits_.size_max) return too_large();
    if (auto room = check_space(length.value_or(0)); !room) return room;
    auto fd = store::create_new(file_.path());
    if (!fd) return std::unexpected(fd.error());
    fd_ = std::move(*fd);
    return {};
  }

  Result<void> write(std::string_view bytes) {
    if (bytes_ + bytes.size() > limits_.size_max) return too_large();
    if (bytes_ / space_check_bytes != (bytes_ + bytes.size()) / space_check_bytes) {
      if (auto room = check_space(0); !room) return room;
    }
    sha256_.update(bytes);
    if (auto written = store::write_all(fd_.get(), bytes); !written) return written;
    bytes_ += bytes.size();
    start_writeback();
    return {};
  }

  Result<Received> finish(const std::optional<std::string>& promised) {
    std::string digest = sha256_.finish();
    if (bytes_ == 0) return bad_input("the upload is empty; send the file as the request body");
    if (promised && *promised != digest) {
      return bad_input(fmt::format(
          "the bytes do not match the digest in the request (their SHA-256 is {}); send them again",
          hex(digest)));
    }
    if (auto synced = store::sync(fd_.get()); !synced) return std::unexpected(synced.error());
    fd_.reset();
    return Received{std::move(file_), bytes_, hex(digest)};
  }

 private:
  std::unexpected<Error> too_large() const {
    return fail(ErrorKind::too_large, ErrorSource::client,
                fmt::format("the upload is larger than the {} bytes that are allowed here",
                            limits_.size_max));
  }

  Result<void> check_space(std::uint64_t wanted) const {
    auto free = limits_.free_bytes();
    if (!free) return std::unexpected(free.error());
    if (*free >= limits_.free_space_min && *free - limits_.free_space_min >= wanted) return {};
    return fail(ErrorKind::no_space, ErrorSource::disk,
                "the disk of the origin is too full for this upload; try again later", true);
  }

  void start_writeback() {
    if (bytes_ - flushed_ < flush_bytes) return;
    // Only a hint: whether it worked shows when the file is synced.
    ::sync_file_range(fd_.get(), static_cast<off64_t>(flushed_),
                      static_cast<off64_t>(bytes_ - flushed_), SYNC_FILE_RANGE_WRITE);
    flushed_ = bytes_;
  }

  TemporaryFile file_;
  UploadLimits limits_;
  store::UniqueFd fd_;
  http::ShaStream sha256_{http::Sha::sha256};
  std::uint64_t bytes_ = 0, flushed_ = 0;
};

/// Fills `into` as far as the body reaches; less than its size only at the end.
net::Task<Result<std::size_t>> read_piece(net::Exchange& exchange, std::span<char> into) {
  std::size_t have = 0;
  while (have < into.size()) {
    auto got = co_await exchange.read_body(into.subspan(have));
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) break;
    have += *got;
  }
  co_return have;
}

}  // namespace

TemporaryFile::~TemporaryFile() {
  if (path_.empty()) return;
  if (auto removed = store::remove_file(path_); !removed) {
    log::warn("an unfinished upload stays behind", {log::kv("why", removed.error().message)});
  }
}

Result<std::optional<std::string>> promised_sha256(http::Fields fields) {
  auto whole = sha256_in(fields, "repr-digest");
  if (!whole) return whole;
  auto content = sha256_in(fields, "content-digest");
  if (!content) return content;
  if (*whole && *content && **whole != **content) {
    return bad_input("Repr-Digest and Content-Digest name different digests; send one of them");
  }
  return *whole ? whole : content;
}

net::Task<Result<Received>> receive(net::Exchange& exchange, std::filesystem::path path,
                                    UploadLimits limits, net::Blocking& blocking,
                                    std::function<void(std::size_t)> received) {
  auto promised = promised_sha256(exchange.request().fields);
  if (!promised) co_return std::unexpected(promised.error());
  const http::BodyFraming framing = exchange.request().body;
  std::optional<std::uint64_t> length;
  if (framing.kind == http::BodyKind::length) length = framing.length;
  Sink sink(std::move(path), std::move(limits));
  auto open = [&] { return sink.open(length); };
  auto opened = co_await net::run_blocking(blocking, open);
  if (!opened) co_return std::unexpected(opened.error());
  std::vector<char> piece(piece_bytes);
  while (true) {
    auto got = co_await read_piece(exchange, piece);
    if (!got) co_return std::unexpected(got.error());
    received(*got);
    auto write = [&] { return sink.write({piece.data(), *got}); };
    auto written = co_await net::run_blocking(blocking, write);
    if (!written) co_return std::unexpected(written.error());
    if (*got < piece.size()) break;
  }
  auto finish = [&] { return sink.finish(*promised); };
  co_return co_await net::run_blocking(blocking, finish);
}

}  // namespace relay::origin::intake
