#include "transcoder/codecs.hpp"

#include <fmt/format.h>

namespace relay::transcoder {
namespace {

// AVCDecoderConfigurationRecord (14496-15 5.3.3.1): version 1, profile, constraints, level.
Result<std::string> avc_codecs(const std::vector<std::uint8_t>& record) {
  if (record.size() < 7 || record[0] != 1)
    return bad_input("the H.264 configuration is not an AVCDecoderConfigurationRecord");
  return fmt::format("avc1.{:02x}{:02x}{:02x}", record[1], record[2], record[3]);
}

// AudioSpecificConfig (14496-3 1.6.2.1): 5 bits of object type; 31 means 6 more bits, plus 32.
Result<std::string> aac_codecs(const std::vector<std::uint8_t>& config) {
  if (config.size() < 2) return bad_input("the AAC configuration is shorter than 2 bytes");
  int object_type = config[0] >> 3;
  if (object_type == 31) object_type = 32 + ((config[0] & 7) << 3 | config[1] >> 5);
  if (object_type == 0) return bad_input("the AAC configuration names no object type");
  return fmt::format("mp4a.40.{}", object_type);
}

}  // namespace

Result<std::string> codecs_of(const TrackSpec& track) {
  return track.codec == Codec::h264 ? avc_codecs(track.extradata) : aac_codecs(track.extradata);
}

}  // namespace relay::transcoder
