// Where a segment's key pictures lie, so that each can be had alone: by a byte range of an I-frame
// playlist (RFC 8216bis-22 4.4.3.6). The transcoder knows it when it writes the segment and tells
// the origin with it, in the field `Torchrelay-Key-Pictures`. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"

namespace relay::media {

inline constexpr std::string_view key_pictures_field = "Torchrelay-Key-Pictures";
/// Of one segment: more than any that we cut has.
inline constexpr std::size_t key_pictures_max = 32;

/// A fragment (moof and mdat) that holds this picture and nothing else.
struct KeyPicture {
  std::uint64_t offset = 0;       // of the moof, from the segment's first byte
  std::uint64_t bytes = 0;        // of moof and mdat
  std::int64_t microseconds = 0;  // from the segment's begin to the picture
  friend bool operator==(const KeyPicture&, const KeyPicture&) = default;
};

/// In the order of the segment: "24 5321 0, 90000 4444 2000000"; empty for none.
std::string to_text(const std::vector<KeyPicture>& keys);
/// Those of a segment of `segment_bytes`. Errors: invalid, also when they overlap, go back, lie
/// outside of the segment, or the first is not at its begin.
Result<std::vector<KeyPicture>> key_pictures_from_text(std::string_view text,
                                                       std::uint64_t segment_bytes);

}  // namespace relay::media
