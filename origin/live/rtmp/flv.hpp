// RTMP's audio, video and data messages as an FLV file (Adobe, "Video File Format Specification"
// version 10.1, annex E): the form in which they go to a transcoder. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "origin/live/rtmp/chunk_stream.hpp"

namespace relay::origin::live::rtmp {

/// What a tag is to whoever must drop some or send some again: the newest of each header is needed
/// by who comes late, and pictures make sense from a key picture on.
enum class TagRole { metadata, video_header, audio_header, key_picture, other };

/// "h264", "hevc", "aac", … or "codec 7": what a message carries, by its first byte; empty for an
/// empty or a data message.
std::string flv_codec(const Message& message);

TagRole role_of(const Message& message);

/// File header and first back pointer.
std::string flv_header();
/// One tag and its back pointer. A data message loses its "@setDataFrame"; HEVC of enhanced RTMP
/// (Veovera, "Enhancing RTMP, FLV", 2023) gets the head that FLV had before (media::flv_hevc).
std::string flv_tag(const Message& message);

}  // namespace relay::origin::live::rtmp
