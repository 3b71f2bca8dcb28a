// Packets that we put between those of a publisher, to tell libav's demuxer and parser at once what
// they would otherwise learn from the next picture. Pure.
#pragma once

#include <string>
#include <string_view>

#include "transcoder/live/access_unit.hpp"

namespace relay::transcoder::live {

/// A packet that ends the PES packet before it: an empty one of the padding stream, which demuxers
/// pass over. `continuity` of the packet before it, which that of the next one still follows.
std::string end_of_pes(int pid, int continuity);

/// Before a picture that is whole, whose packets begin with `packets`: ends what came before, for
/// the demuxer and for the parser, with a delimiter of access units that has the picture's times.
std::string delimiter_before(std::string_view packets, PictureCoding coding);

/// Packets of no meaning, as many as a demuxer wants to see before it believes in a stream.
std::string null_packets();

}  // namespace relay::transcoder::live
