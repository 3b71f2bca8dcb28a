// H.264 access units between their two forms: Annex B (start codes) and MP4 (length prefixes).
// Pure; hostile bytes are safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace relay::transcoder {

using Bytes = std::vector<std::uint8_t>;
using BytesView = std::span<const std::uint8_t>;

/// The NAL units of an Annex B stream, without start codes and trailing zeros; views into `stream`.
std::vector<BytesView> split_annex_b(BytesView stream);

/// The NAL units of length-prefixed data; nullopt when a length does not fit. `length_bytes`:
/// 1, 2 or 4.
std::optional<std::vector<BytesView>> split_lengths(BytesView data, int length_bytes);

/// AVCDecoderConfigurationRecord (ISO 14496-15 5.3.3.1), 4-byte lengths, from the parameter sets
/// among `units`; nullopt when either is missing.
std::optional<Bytes> make_avcc(const std::vector<BytesView>& units);

struct AvccView {
  int length_bytes = 4;
  std::vector<BytesView> sequence_sets, picture_sets;
};
std::optional<AvccView> read_avcc(BytesView record);

/// The number by which pictures name a parameter set (7.3.2.1.1, 7.3.2.2); nullopt: it is neither
/// kind, or cut off.
std::optional<int> set_id(BytesView unit);

/// 4-byte lengths; parameter sets, delimiters and filler are left out.
Bytes to_sample(const std::vector<BytesView>& units);

inline int unit_type(BytesView unit) {
  return unit.empty() ? 0 : unit[0] & 0x1F;
}
inline constexpr int unit_idr = 5, unit_sequence_set = 7, unit_picture_set = 8, unit_delimiter = 9,
                     unit_filler = 12;
bool has_idr(const std::vector<BytesView>& units);

}  // namespace relay::transcoder
