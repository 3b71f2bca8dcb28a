// Where a broadcaster publishes a channel, spelled for OBS, ffmpeg and curl. Pure.
#pragma once

#include <boost/json/object.hpp>

#include <string_view>

#include "origin/live/live_settings.hpp"

namespace relay::origin {

/// {"key", "rtmp", "rtmp_server", "rtmp_stream", "srt", "http"}: what is switched off is left out.
/// Add "&slot=backup" (SRT: ",slot=backup") for the second publisher.
boost::json::object ingest_addresses(const live::LiveSettings& settings, std::string_view tenant,
                                     std::string_view asset, std::string_view key);

}  // namespace relay::origin
