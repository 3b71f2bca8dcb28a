#include "common/http/repr_digest.hpp"

#include <array>
#include <utility>

#include "common/http/base64.hpp"
#include "common/http/structured_field.hpp"

namespace relay::http {
namespace {

constexpr std::string_view key = "xxh3-128";

void append_big_endian(std::string& bytes, std::uint64_t half) {
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(half >> shift & 0xff);
}

std::uint64_t read_big_endian(std::string_view bytes) {
  std::uint64_t half = 0;
  for (unsigned char byte : bytes) half = half << 8 | byte;
  return half;
}

constexpr std::array<std::pair<std::string_view, Sha>, 2> sha_keys = {
    {{"sha-256", Sha::sha256}, {"sha-512", Sha::sha512}}};

}  // namespace

std::string write_repr_digest(const Digest128& digest) {
  std::string bytes, field(key);
  append_big_endian(bytes, digest.high);
  append_big_endian(bytes, digest.low);
  field += "=:";
  append_base64(field, bytes);
  return field += ':';
}

Result<std::optional<Digest128>> read_repr_digest(std::string_view field) {
  if (field.empty()) return std::nullopt;
  auto dictionary = structured::read_dictionary(field);
  if (!dictionary) return bad_input("Repr-Digest is not a dictionary of digests");
  if (!structured::find(*dictionary, key)) return std::nullopt;
  const auto* bytes = structured::find_value<structured::Bytes>(*dictionary, key);
  if (!bytes || bytes->data.size() != 16) {
    return bad_input("the xxh3-128 in Repr-Digest is not 16 bytes in base64");
  }
  std::string_view data = bytes->data;
  return Digest128{read_big_endian(data.substr(0, 8)), read_big_endian(data.substr(8))};
}

std::optional<Digest128> read_repr_digest(Fields fields) {
  auto digest = read_repr_digest(std::string_view(joined(fields, "Repr-Digest")));
  return digest ? *digest : std::nullopt;
}

std::optional<PromisedSha> read_repr_sha(Fields fields) {
  std::string field = joined(fields, "Repr-Digest");
  auto dictionary = structured::read_dictionary(field);
  if (field.empty() || !dictionary) return std::nullopt;
  for (auto [name, sha] : sha_keys) {
    const auto* bytes = structured::find_value<structured::Bytes>(*dictionary, name);
    if (bytes && bytes->data.size() == byte_count(sha)) return PromisedSha{sha, bytes->data};
  }
  return std::nullopt;
}

std::optional<ShaCheck> sha_check_of(const ResponseHead& head) {
  auto promised = head.status == 200 ? read_repr_sha(head.headers) : std::nullopt;
  if (!promised) return std::nullopt;
  return ShaCheck(std::move(*promised));
}

std::unexpected<Error> digest_mismatch() {
  return fail(ErrorKind::corrupt, ErrorSource::upstream, "the body does not match its digest");
}

BodyCheck::BodyCheck(const ResponseHead& head) : sha_(sha_check_of(head)) {
  if (head.status == 200) promised_ = read_repr_digest(head.headers);
}

void BodyCheck::update(std::string_view bytes) {
  if (sha_) sha_->update(bytes);
  if (promised_) stream_.update(bytes);
}

bool BodyCheck::holds() {
  bool ours = !promised_ || *promised_ == stream_.digest();
  return (!sha_ || sha_->holds()) && ours;
}

}  // namespace relay::http
