// The digests that bodies carry on the wire (RFC 9530): Repr-Digest with our XXH3-128 under the key
// "xxh3-128", 16 bytes, high half first, or with the SHA-2 of other origins. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

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

}  // namespace relay::http
