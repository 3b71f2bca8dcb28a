// Any bytes: a playlist is refused, or what was read reads back the same after writing, and its
// outline names the same.
#include <cstdint>
#include <string_view>

#include "common/base/check.hpp"
#include "common/media/playlist.hpp"
#include "common/media/playlist_outline.hpp"

using namespace relay::media;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto media = read_media_playlist(text)) {
    std::string written = write(*media);
    auto again = read_media_playlist(written);
    RELAY_CHECK(again);
    RELAY_CHECK(write(*again) == written);
    RELAY_CHECK(!why_not_extension(*media, *again));
    auto outline = read_playlist_outline(text);
    RELAY_CHECK(outline || text.find("#EXT-X-DEFINE") != text.npos);
    if (outline) {
      RELAY_CHECK(outline->segments.size() == media->segments.size());
      RELAY_CHECK(outline->media_sequence == media->media_sequence);
      RELAY_CHECK(outline->ended == media->ended);
    }
  }
  if (auto multivariant = read_multivariant_playlist(text)) {
    std::string written = write(*multivariant);
    auto again = read_multivariant_playlist(written);
    RELAY_CHECK(again);
    RELAY_CHECK(write(*again) == written);
  }
  if (auto outline = read_playlist_outline(text)) {
    RELAY_CHECK(outline->segments.size() <= size && outline->lasting.size() <= size);
  }
  return 0;
}
