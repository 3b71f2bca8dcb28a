// The page files as they were when the origin was built.
#pragma once

#include <span>
#include <string_view>

namespace relay::origin::web {

struct EmbeddedFile {
  std::string_view name;  // "watch.js"
  std::string_view content_type;
  std::string_view bytes;
  std::string_view gzip;  // the same bytes, compressed
};

/// Everything under /static/. Views of static data.
std::span<const EmbeddedFile> static_files();

/// Templates; "{{static}}" stands for the folder of static_files().
std::string_view console_template();
std::string_view watch_template();
std::string_view desk_template();

}  // namespace relay::origin::web
