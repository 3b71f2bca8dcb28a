// The digests that bodies carry on the wire (RFC 9530): Repr-Digest with our XXH3-128 under the key
// "xxh3-128", 16 bytes, high half first, or with the SHA-2 of other origins. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/error.hpp"
#include "common/base/hash.hpp"
#include "common/http/message.hpp"
#include "common/http/sha.hpp"

namespace relay::http {

/// "xxh3-128=:BASE64:".
std::string write_repr_digest(const Digest128& digest);

/// nullopt: the field (empty when there is none) names no such digest. An error when it names one
/// that is not 16 bytes, or is no dictionary.
Result<std::optional<Digest128>> read_repr_digest(std::string_view field);

/// The same of a message, where a malformed field counts as absent.
std::optional<Digest128> read_repr_digest(Fields fields);

/// What a message promises in SHA-2: "sha-256", or "sha-512" where that is all.
struct PromisedSha {
  Sha sha = Sha::sha256;
  std::string digest;
};
/// nullopt: nothing, or nothing of the right form.
std::optional<PromisedSha> read_repr_sha(Fields fields);

/// Holds a body that comes in pieces against the SHA-2 that was promised of it. One owner.
class ShaCheck {
 public:
  explicit ShaCheck(PromisedSha promised)
      : digest_(std::move(promised.digest)), stream_(promised.sha) {}
  void update(std::string_view bytes) { stream_.update(bytes); }
  /// Once, when all bytes came.
  bool holds() { return stream_.finish() == digest_; }

 private:
  std::string digest_;
  ShaStream stream_;
};
/// For the body of that answer: only that of a 200 is the representation that Repr-Digest is of, as
/// it was sent, in its content coding (RFC 9530 3). nullopt: nothing is promised.
std::optional<ShaCheck> sha_check_of(const ResponseHead& head);

/// What an upstream's body is refused with that is not what was promised.
std::unexpected<Error> digest_mismatch();

/// As ShaCheck, with our own digest too, for a body of which nobody needs the digest otherwise.
class BodyCheck {
 public:
  explicit BodyCheck(const ResponseHead& head);
  void update(std::string_view bytes);
  /// Once, when all bytes came. True when nothing was promised.
  bool holds();

 private:
  std::optional<ShaCheck> sha_;
  std::optional<Digest128> promised_;
  DigestStream stream_;
};

}  // namespace relay::http
