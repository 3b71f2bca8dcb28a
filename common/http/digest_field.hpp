// The digest that every media body carries between our programs: a member of Repr-Digest
// (RFC 9530 3), "xxh3-128=:BASE64:", 16 bytes, most significant first. Pure.
#pragma once

#include <optional>
#include <string>

#include "common/base/hash.hpp"
#include "common/http/message.hpp"

namespace relay::http {

/// The value of a Repr-Digest field.
std::string write_repr_digest(const Digest128& digest);

/// From a message's Repr-Digest; nullopt when it has no such member or is malformed. Members of
/// other algorithms are passed over.
std::optional<Digest128> read_repr_digest(Fields fields);

}  // namespace relay::http
