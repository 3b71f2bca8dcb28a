#include "origin/clip/edges.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "common/media/media_path.hpp"

namespace relay::origin::clip {
namespace {

std::unexpected<Error> broken(std::string message) {
  return fail(ErrorKind::internal, ErrorSource::internal, std::move(message));
}

/// "0.m4s"
std::string piece_uri(std::int64_t number) {
  return fmt::format("{}.m4s", number);
}

const media::MediaSegment* piece_of(const media::MediaPlaylist& pieces, std::int64_t number) {
  auto found = std::ranges::find(pieces.segments, piece_uri(number), &media::MediaSegment::uri);
  return found == pieces.segments.end() ? nullptr : &*found;
}

/// The renditions that have segments, in the order in which they are asked how to cut.
std::vector<PlannedEdges> renditions_of(const media::MultivariantPlaylist& rough) {
  std::vector<media::Variant> variants = rough.variants;
  auto rank = [](const media::Variant& each) { return std::pair(each.frame_rate, each.bandwidth); };
  std::ranges::sort(variants, std::ranges::greater(), rank);
  std::vector<PlannedEdges> found;
  auto add = [&](const std::string& uri, bool picture, std::int64_t bit_s_max) {
    std::string name(media::rendition_of(uri));
    if (std::ranges::find(found, name, &PlannedEdges::rendition) == found.end())
      found.push_back({std::move(name), picture, bit_s_max, {}});
  };
  for (const media::Variant& each : variants) add(each.uri, each.width > 0, each.bandwidth);
  for (const media::AudioRendition& each : rough.audios)
    if (!each.uri.empty()) add(each.uri, false, 0);
  return found;
}

PlannedPiece piece_at(const media::MediaPlaylist& playlist, std::size_t i, std::int64_t number) {
  const media::MediaSegment& segment = playlist.segments[i];
  PlannedPiece planned{{}, playlist.map_uri, segment.uri};
  for (std::size_t k = 0; k <= i; ++k)
    if (!playlist.segments[k].map_uri.empty()) planned.init_uri = playlist.segments[k].map_uri;
  planned.piece.number = number;
  planned.piece.date_us = segment.date_us;
  return planned;
}

/// Times go by `lead`, so that they are the same for all renditions.
Result<std::vector<PlannedPiece>> pieces_of(const media::MediaPlaylist& playlist,
                                            const media::MediaPlaylist& lead,
                                            const EdgeWish& wish) {
  std::size_t count = playlist.segments.size();
  if (count == 0 || count != lead.segments.size())
    return broken("the clip's renditions have unlike segments");
  std::int64_t first_us = lead.segments.front().microseconds();
  std::int64_t last_us = lead.segments.back().microseconds();
  std::int64_t last_begin_us = duration_us(lead) - last_us;
  bool cuts_begin = wish.from_us > 0, cuts_end = wish.to_us < last_begin_us + last_us;
  if ((cuts_begin && playlist.segments.front().gap) || (cuts_end && playlist.segments.back().gap))
    return bad_input("the source has a gap at the clip's edge, where nothing can be cut exactly");
  std::vector<PlannedPiece> pieces;
  if (cuts_begin || (cuts_end && count == 1))
    pieces.push_back(piece_at(playlist, 0, media::edge_at_beginning));
  if (cuts_begin) pieces.back().piece.from_us = std::min(wish.from_us, first_us);
  if (cuts_end && count > 1) pieces.push_back(piece_at(playlist, count - 1, media::edge_at_end));
  if (cuts_end) pieces.back().piece.to_us = wish.to_us - last_begin_us;
  return pieces;
}

media::MediaPlaylist replaced(media::MediaPlaylist playlist, const media::MediaPlaylist& pieces) {
  playlist.start_us.reset();
  if (!pieces.map_uri.empty()) playlist.map_uri = pieces.map_uri;
  if (auto first = piece_of(pieces, media::edge_at_beginning)) playlist.segments.front() = *first;
  if (auto last = piece_of(pieces, media::edge_at_end)) playlist.segments.back() = *last;
  return playlist;
}

}  // namespace

std::int64_t duration_us(const media::MediaPlaylist& playlist) {
  std::int64_t sum = 0;
  for (const media::MediaSegment& each : playlist.segments) sum += each.microseconds();
  return sum;
}

std::string lead_of(const media::MultivariantPlaylist& rough) {
  auto renditions = renditions_of(rough);
  return renditions.empty() ? "" : renditions.front().rendition;
}

Result<std::vector<PlannedEdges>> plan_edges(const media::MultivariantPlaylist& rough,
                                             const MediaPlaylists& playlists,
                                             const EdgeWish& wish) {
  std::vector<PlannedEdges> planned = renditions_of(rough);
  if (planned.empty()) return broken("the clip has no renditions");
  auto lead = playlists.find(planned.front().rendition);
  for (PlannedEdges& each : planned) {
    auto playlist = playlists.find(each.rendition);
    if (playlist == playlists.end() || lead == playlists.end())
      return broken(fmt::format("rendition {} of the clip has no playlist", each.rendition));
    auto pieces = pieces_of(playlist->second, lead->second, wish);
    if (!pieces) return std::unexpected(pieces.error());
    each.pieces = std::move(*pieces);
  }
  return planned;
}

Result<MediaPlaylists> exact_playlists(const MediaPlaylists& rough, const MediaPlaylists& pieces) {
  MediaPlaylists exact;
  for (const auto& [rendition, playlist] : rough) {
    auto found = pieces.find(rendition);
    if (found == pieces.end() && !pieces.empty())
      return broken(fmt::format("rendition {} of the clip was not cut", rendition));
    exact.emplace(rendition,
                  replaced(playlist, pieces.empty() ? media::MediaPlaylist{} : found->second));
  }
  return exact;
}

}  // namespace relay::origin::clip
