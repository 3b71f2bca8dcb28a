// Any bytes: a playlist is refused, or its segments lie one behind the other in it and a delta cut
// out of it is as long as it should be, and is an update of this very text or of none. A query is
// refused, or its spelling reads back the same.
#include <cstdint>
#include <string_view>

#include "common/base/check.hpp"
#include "common/media/live_playlist_delta.hpp"

using namespace relay::media;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto outline = read_live_playlist(text)) {
    std::size_t end = 0;
    for (const auto& segment : outline->segments) {
      RELAY_CHECK(segment.begin >= end && segment.end > segment.begin && segment.end <= size);
      end = segment.end;
    }
    auto delta = cut_delta(text, *outline);
    if (delta) {
      RELAY_CHECK(delta->starts_with("#EXTM3U"));
      RELAY_CHECK(delta->find("#EXT-X-SKIP:SKIPPED-SEGMENTS=") != delta->npos);
      RELAY_CHECK(!read_live_playlist(*delta));
      auto whole = merge_delta(text, *outline, *delta);
      RELAY_CHECK(!whole || whole->text == text);
    }
  }
  if (auto directives = read_live_directives(text)) {
    auto again = read_live_directives(to_query(*directives));
    RELAY_CHECK(again && *again == *directives);
    judge(*directives, {5, 2, 4}, false, {4, 500});
  }
  return 0;
}
