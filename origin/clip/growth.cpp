#include "origin/clip/growth.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/media/live.hpp"
#include "origin/clip/sheets.hpp"

namespace relay::origin::clip {
namespace {

/// nullptr: not there yet, or not any more.
const SourceSegment* segment_at(const SourceRendition& rendition, std::int64_t number) {
  if (rendition.segments.empty()) return nullptr;
  std::int64_t at = number - rendition.segments.front().number;
  if (at < 0 || at >= static_cast<std::int64_t>(rendition.segments.size())) return nullptr;
  return &rendition.segments[static_cast<std::size_t>(at)];
}

/// The source's renditions that a clip has, by their places; in the source's order.
std::vector<std::size_t> renditions_of(const MediaPlaylists& playlists, const Source& source) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < source.renditions.size(); ++i)
    if (playlists.contains(source.renditions[i].name)) found.push_back(i);
  return found;
}

bool is_there(const MediaPlaylists& playlists, const Source& source,
              const std::vector<std::size_t>& renditions, std::int64_t number) {
  bool has_sheets = playlists.contains(source.sheets.name);
  if (has_sheets && !segment_at(source.sheets, number)) return false;
  return segment_at(source.renditions.front(), number) &&
         std::ranges::all_of(renditions, [&](std::size_t each) {
           return segment_at(source.renditions[each], number) != nullptr;
         });
}

bool is_playable(const Source& source, const std::vector<std::size_t>& renditions,
                 std::int64_t number) {
  bool wants_picture = false, has_picture = false, has_sound = true;
  for (std::size_t each : renditions) {
    const SourceRendition& rendition = source.renditions[each];
    bool is_made = !segment_at(rendition, number)->gap;
    wants_picture = wants_picture || rendition.video;
    has_picture = has_picture || (rendition.video && is_made);
    has_sound = has_sound && (rendition.video || is_made);
  }
  return has_sound && has_picture == wants_picture;
}

void append(MediaPlaylists& playlists, const Source& source,
            const std::vector<std::size_t>& renditions, std::int64_t number, std::int64_t date_us) {
  Choice choice{.date_us = date_us};
  for (std::size_t each : renditions) {
    const SourceRendition& rendition = source.renditions[each];
    auto at = static_cast<std::size_t>(number - rendition.segments.front().number);
    choice.cuts.push_back({each, at, at + 1});
    auto more = media_playlist(source, choice, choice.cuts.back());
    playlists.at(rendition.name).segments.push_back(std::move(more.segments.front()));
  }
  auto sheets = playlists.find(source.sheets.name);
  if (sheets == playlists.end()) return;
  auto more = sheets_in_step(source, choice);
  sheets->second.segments.push_back(std::move(more.segments.front()));
}

}  // namespace

void leave_open(MediaPlaylists& playlists) {
  for (auto& [name, playlist] : playlists) {
    playlist.type = media::PlaylistType::event;
    playlist.ended = false;
  }
}

void close(MediaPlaylists& playlists) {
  for (auto& [name, playlist] : playlists) playlist.ended = true;
}

std::string closed(std::string text) {
  return std::move(text) + "#EXT-X-ENDLIST\n";
}

Growth grow(MediaPlaylists& playlists, const Source& source, std::int64_t to_date_us) {
  auto renditions = renditions_of(playlists, source);
  if (renditions.empty()) return {.whole = true};
  const media::MediaPlaylist& lead = playlists.at(source.renditions[renditions.front()].name);
  if (lead.segments.empty() || !lead.segments.back().date_us) return {.whole = true};
  const media::MediaSegment& last = lead.segments.back();
  std::int64_t number = media::number_in(last.uri).value_or(-1) + 1;
  Growth growth{.end_date_us = *last.date_us + last.microseconds()};
  for (; growth.end_date_us + slack_us < to_date_us; ++number) {
    if (!is_there(playlists, source, renditions, number)) return growth;
    if (!is_playable(source, renditions, number)) break;
    append(playlists, source, renditions, number, growth.end_date_us);
    growth.end_date_us += segment_at(source.renditions.front(), number)->us;
    growth.grew = true;
  }
  growth.whole = true;
  return growth;
}

}  // namespace relay::origin::clip
