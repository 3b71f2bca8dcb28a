#include "origin/clip_source.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/media/media_path.hpp"
#include "origin/clip/playlists.hpp"

namespace relay::origin {
namespace {

Result<Asset> playable(const Catalog& catalog, const std::string& tenant,
                       const std::string& asset_name) {
  auto asset = catalog.asset(tenant, asset_name);
  if (!asset) return std::unexpected(asset.error());
  if (!*asset)
    return fail(ErrorKind::not_found, ErrorSource::client,
                fmt::format("there is no asset '{}' to clip from", asset_name));
  if ((*asset)->kind == AssetKind::photo)
    return bad_input(
        fmt::format("'{}' is a photo; clips are made of videos, channels and clips", asset_name));
  if ((*asset)->current_version.empty() && (*asset)->state == AssetState::failed)
    return fail(ErrorKind::conflict, ErrorSource::client,
                fmt::format("nothing of '{}' can be played: {}", asset_name, (*asset)->error));
  if ((*asset)->current_version.empty())
    return fail(ErrorKind::conflict, ErrorSource::client,
                fmt::format("nothing of '{}' can be played yet", asset_name), true);
  return std::move(**asset);
}

/// Names of the renditions, pictures first.
std::vector<clip::SourceRendition> renditions_named(const media::MultivariantPlaylist& playlist) {
  std::vector<clip::SourceRendition> found;
  for (const media::Variant& variant : playlist.variants)
    found.push_back({std::string(media::rendition_of(variant.uri)), variant.width > 0, {}});
  for (const media::AudioRendition& audio : playlist.audios)
    if (!audio.uri.empty())
      found.push_back({std::string(media::rendition_of(audio.uri)), false, {}});
  return found;
}

Result<media::MultivariantPlaylist> multivariant_of(const Catalog& catalog, const Asset& asset) {
  auto record = catalog.playlist(asset.tenant, asset.name, asset.current_version, "");
  if (!record) return std::unexpected(record.error());
  return media::read_multivariant_playlist(*record ? (*record)->text : "");
}

/// Of a channel that is open, as viewers see it now. While it ends, its playlists do so one after
/// the other: only when all have can nothing more come of it.
void add_window(const live::View& view, clip::Source& source, clip::SourceRendition& rendition) {
  source.target_duration_s = static_cast<int>(view.window.target_duration_s);
  source.growing = source.growing || !view.window.ended;
  for (const media::LiveSegment& each : view.window.segments) {
    if (!each.complete) break;
    if (!source.date_us && &rendition == &source.renditions.front()) source.date_us = each.date_us;
    rendition.segments.push_back({each.number, each.microseconds, each.gap});
  }
}

/// Of what the catalog has a playlist of.
Result<void> add_playlist(const Catalog& catalog, const Asset& asset, clip::Source& source,
                          clip::SourceRendition& rendition) {
  auto record = catalog.playlist(asset.tenant, asset.name, asset.current_version, rendition.name);
  if (!record) return std::unexpected(record.error());
  if (!*record) return {};
  auto playlist = media::read_media_playlist((*record)->text);
  if (!playlist) return std::unexpected(playlist.error());
  source.target_duration_s = playlist->target_duration_s;
  source.growing = source.growing || !playlist->ended;
  bool is_lead = &rendition == &source.renditions.front();
  if (is_lead && !playlist->segments.empty()) source.date_us = playlist->segments.front().date_us;
  // Only what another asset's playlist names is not the source's own, by its number.
  auto named = [&](std::string_view uri) {
    if (!asset.clip) return std::string();
    return clip::uri_of(clip::place_of(asset.name, asset.current_version, rendition.name, uri));
  };
  rendition.map_uri = named(playlist->map_uri);
  std::int64_t number = playlist->media_sequence;
  for (const media::MediaSegment& each : playlist->segments) {
    if (!asset.clip && each.uri != fmt::format("{}.m4s", number))
      return fail(ErrorKind::internal, ErrorSource::internal,
                  fmt::format("segment {} of '{}' is called {}", number, asset.name, each.uri));
    rendition.segments.push_back({number++, each.microseconds(), each.gap, named(each.uri)});
  }
  return {};
}

/// The thumbnails, as far as there are any.
Result<std::optional<media::MediaPlaylist>> source_sheets(const Catalog& catalog,
                                                          const Asset& asset,
                                                          const live::Channel* channel,
                                                          const std::string& name) {
  if (channel) {
    auto live = channel->rendition(name);
    auto record = channel->record();
    if (!live || !record->job.live || !record->job.live->setup) return std::nullopt;
    return media::sheets_of(live->view.load()->window, *record->job.live->setup);
  }
  auto record = catalog.playlist(asset.tenant, asset.name, asset.current_version, name);
  if (!record) return std::unexpected(record.error());
  if (!*record) return std::nullopt;
  auto playlist = media::read_media_playlist((*record)->text);
  if (!playlist) return std::unexpected(playlist.error());
  return std::move(*playlist);
}

Result<void> add_sheets(const Catalog& catalog, const live::Channel* channel, ClipSource& from) {
  if (from.multivariant.images.empty()) return {};
  const Asset& asset = from.asset;
  clip::SourceRendition& sheets = from.source.sheets;
  sheets.name = media::rendition_of(from.multivariant.images.front().uri);
  if (auto live = channel ? channel->rendition(sheets.name) : nullptr)
    from.source.growing = from.source.growing || !live->view.load()->window.ended;
  auto playlist = source_sheets(catalog, asset, channel, sheets.name);
  if (!playlist) return std::unexpected(playlist.error());
  if (!*playlist) return {};
  std::int64_t number = (*playlist)->media_sequence;
  for (const media::MediaSegment& each : (*playlist)->segments) {
    auto place = clip::place_of(asset.name, asset.current_version, sheets.name, each.uri);
    sheets.segments.push_back(
        {number++, each.microseconds(), each.gap, clip::uri_of(place), each.tiles});
  }
  return {};
}

/// What a clip was asked to be; its segments may be more.
void add_meant(const ClipFacts& facts, clip::Source& source) {
  source.meant_from_us = facts.lead_in_us;
  if (facts.exactness != Exactness::exact)
    source.meant_to_us = facts.lead_in_us + facts.end_us - facts.start_us;
}

}  // namespace

Result<ClipSource> read_clip_source(const Catalog& catalog, const live::Channels& channels,
                                    const std::string& tenant, const std::string& asset_name) {
  auto asset = playable(catalog, tenant, asset_name);
  if (!asset) return std::unexpected(asset.error());
  auto multivariant = multivariant_of(catalog, *asset);
  if (!multivariant) return std::unexpected(multivariant.error());
  ClipSource found{{.asset = asset->name, .version = asset->current_version},
                   std::move(*multivariant),
                   std::move(*asset),
                   nullptr,
                   0};
  clip::Source& source = found.source;
  source.renditions = renditions_named(found.multivariant);
  auto channel = channels.find(tenant, asset_name);
  if (found.asset.clip) add_meant(*found.asset.clip, source);
  for (clip::SourceRendition& each : source.renditions) {
    auto live = channel ? channel->rendition(each.name) : nullptr;
    if (channel && !live) {
      source.growing = true;
      continue;
    }
    if (live && !found.lead) {
      found.lead = live;
      found.lead_seen = live->changed.version();
    }
    if (live) add_window(*live->view.load(), source, each);
    auto added = live ? Result<void>() : add_playlist(catalog, found.asset, source, each);
    if (!added) return std::unexpected(added.error());
  }
  if (auto added = add_sheets(catalog, channel.get(), found); !added)
    return std::unexpected(added.error());
  return found;
}

}  // namespace relay::origin
