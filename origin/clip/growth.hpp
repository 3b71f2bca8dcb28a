// A clip whose end is still being made: it is published with what is there (EVENT playlists) and
// grows to its end, a segment at a time. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "origin/clip/clip.hpp"
#include "origin/clip/playlists.hpp"

namespace relay::origin::clip {

/// More will come behind these.
void leave_open(MediaPlaylists& playlists);
/// Nothing more comes.
void close(MediaPlaylists& playlists);
/// The same of the text of one that was left open.
std::string closed(std::string text);

struct Growth {
  bool grew = false;
  bool whole = false;            // nothing is to come any more
  std::int64_t end_date_us = 0;  // Unix time behind the last segment
};

/// Adds to the playlists of a clip what its source, a channel, has behind them by now, up to the
/// segment in which `to_date_us` (Unix time) lies. It ends before a segment that nobody can play:
/// without sound, or without a picture in any rendition.
Growth grow(MediaPlaylists& playlists, const Source& source, std::int64_t to_date_us);

}  // namespace relay::origin::clip
