#include "common/http/digest_field.hpp"

#include "common/http/structured_field.hpp"

namespace relay::http {
namespace {

constexpr std::string_view algorithm = "xxh3-128";

void append_big_endian(std::string& bytes, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift);
}

std::uint64_t read_big_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

}  // namespace

std::string write_repr_digest(const Digest128& digest) {
  std::string bytes;
  append_big_endian(bytes, digest.high);
  append_big_endian(bytes, digest.low);
  structured::Item item{structured::Bytes{std::move(bytes)}, {}};
  return structured::write(structured::Dictionary{{std::string(algorithm), item}}).value();
}

std::optional<Digest128> read_repr_digest(Fields fields) {
  if (!find(fields, "Repr-Digest")) return std::nullopt;
  auto dictionary = structured::read_dictionary(joined(fields, "Repr-Digest"));
  if (!dictionary) return std::nullopt;
  auto* member = structured::find_value<structured::Bytes>(*dictionary, algorithm);
  if (!member || member->data.size() != 16) return std::nullopt;
  std::string_view bytes = member->data;
  return Digest128{read_big_endian(bytes.substr(0, 8)), read_big_endian(bytes.substr(8))};
}

}  // namespace relay::http
