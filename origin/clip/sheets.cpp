#include "origin/clip/sheets.hpp"

#include <algorithm>

#include "common/media/live.hpp"
#include "origin/clip/playlists.hpp"

namespace relay::origin::clip {
namespace {

/// Also of a gap, which has a name too; null: there is none of this number.
const SourceSegment* sheet_at(const std::vector<SourceSegment>& sheets, std::int64_t number) {
  if (sheets.empty()) return nullptr;
  std::int64_t at = number - sheets.front().number;
  if (at < 0 || at >= static_cast<std::int64_t>(sheets.size())) return nullptr;
  return &sheets[static_cast<std::size_t>(at)];
}

}  // namespace

media::MediaPlaylist sheets_in_step(const Source& source, const Choice& choice) {
  media::MediaPlaylist playlist = media_playlist(source, choice, choice.cuts.front());
  playlist.contents = media::Contents::images;
  playlist.independent_segments = false;
  playlist.map_uri.clear();
  playlist.start_us.reset();
  const Cut& cut = choice.cuts.front();
  std::int64_t number = source.renditions[cut.rendition].segments[cut.begin].number;
  for (media::MediaSegment& segment : playlist.segments) {
    std::string object = media::segment_object(source.sheets.name, number);
    const SourceSegment* sheet = sheet_at(source.sheets.segments, number++);
    segment.gap = !sheet || sheet->gap || !sheet->tiles;
    segment.uri = sheet ? sheet->uri : uri_of({source.asset, source.version, std::move(object)});
    if (!segment.gap) segment.tiles = sheet->tiles;
  }
  return playlist;
}

std::optional<media::MediaPlaylist> sheet_playlist(const Source& source, const Choice& choice) {
  if (source.sheets.segments.empty() || choice.cuts.empty()) return std::nullopt;
  media::MediaPlaylist playlist = sheets_in_step(source, choice);
  if (std::ranges::all_of(playlist.segments, &media::MediaSegment::gap)) return std::nullopt;
  return playlist;
}

media::MediaPlaylist exact_sheets(media::MediaPlaylist rough, const media::MediaPlaylist& lead,
                                  std::int64_t late_us) {
  std::size_t count = std::min(rough.segments.size(), lead.segments.size());
  for (std::size_t i = 0; i < count; ++i) {
    media::MediaSegment& sheet = rough.segments[i];
    sheet.duration = lead.segments[i].microseconds();
    sheet.timescale = media::us_per_s;
    sheet.date_us = lead.segments[i].date_us;
  }
  if (count > 0 && rough.segments.front().tiles) rough.segments.front().tiles->skip_us += late_us;
  rough.target_duration_s = lead.target_duration_s;
  return rough;
}

}  // namespace relay::origin::clip
