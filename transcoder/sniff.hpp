// Tells a broadcaster what a file is that could not be opened as media.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace relay::transcoder {

/// The sentence for a file that begins with `head` (some hundred bytes of it). Pure.
std::string name_of_content(std::string_view head);

/// The whole reason why the file behind `fd` could not be opened: looks at its first bytes and, if
/// it is an MP4, at the list of its top boxes.
std::string why_not_media(int fd, std::int64_t size);

/// Whether most of the payload in `head`, the beginning of an MPEG transport stream, is scrambled
/// (transport_scrambling_control, ISO/IEC 13818-1 2.4.3.3). Pure; false for what is no such stream.
bool is_scrambled(std::string_view head);

/// The first bytes of the file behind `fd`, fewer where it ends.
std::string beginning_of(int fd, std::size_t bytes);

/// "eng" → "en", "" or nonsense → "und" (RFC 5646 prefers two letters where they exist). Pure.
std::string language_tag(std::string_view iso_639);

}  // namespace relay::transcoder
