// The transcoder's settings: conf/transcoder.toml as a struct with defaults. describe() is the one
// description of every key.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/settings.hpp"
#include "transcoder/encoding.hpp"

namespace relay::transcoder {

struct PhotoRendition {
  std::int64_t width = 0;
};

struct PhotoSettings {
  /// One JPEG and one WebP each; never enlarged: a narrower photo ends with its own width.
  std::vector<PhotoRendition> renditions = {{320}, {640}, {960}, {1280}, {1920}, {2560}};
  std::int64_t jpeg_quality = 82;
  std::int64_t webp_quality = 80;
  std::int64_t pixels_max = 200'000'000;  // width × height of a source
};

struct Settings {
  Encoding encoding;
  LiveEncoding live;
  SourceLimits source;
  PhotoSettings photo;
  std::uint64_t output_size_max = 256ull << 30;  // of all that one job publishes
  bool sandbox = true;                           // seccomp and empty namespaces; off only to debug
};

void describe(Schema& schema, Settings& into);

/// Loads (an empty path: the defaults) and checks the rules between keys.
Result<Settings> load(const std::string& path);

}  // namespace relay::transcoder
