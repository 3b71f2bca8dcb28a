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

/// "eng" → "en", "" or nonsense → "und" (RFC 5646 prefers two letters where they exist). Pure.
std::string language_tag(std::string_view iso_639);

}  // namespace relay::transcoder
