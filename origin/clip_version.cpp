#include "origin/clip_version.hpp"

#include <algorithm>
#include <random>
#include <utility>

namespace relay::origin {

namespace {

std::uint32_t version_chance() {
  thread_local std::random_device device;
  return device();
}

}  // namespace

clip::MeasuredOf measured_in(const Catalog& catalog, std::string tenant) {
  return [&catalog, tenant = std::move(tenant)](const clip::Place& place) -> clip::Measured {
    auto record = catalog.object(tenant, place.asset, place.version, place.object);
    if (!record || !*record) return {};
    return {(*record)->bytes, std::move((*record)->keys)};
  };
}

Result<clip::MediaPlaylists> media_playlists_of(const Catalog& catalog, const std::string& tenant,
                                                const std::string& asset,
                                                const std::string& version) {
  auto published = catalog.playlists(tenant, asset, version);
  if (!published) return std::unexpected(published.error());
  clip::MediaPlaylists playlists;
  for (const media::PublishedRendition& each : *published) {
    auto playlist = media::read_media_playlist(each.playlist);
    if (!playlist) return std::unexpected(playlist.error());
    playlists.emplace(each.name, std::move(*playlist));
  }
  return playlists;
}

std::string new_version() {
  return version_name(wall_now(), version_chance());
}

NewClip clip_version(const Catalog& catalog, ClipName name, ClipFacts facts,
                     const media::MultivariantPlaylist& of, const clip::MediaPlaylists& playlists) {
  NewClip clip{.tenant = std::move(name.tenant),
               .asset = std::move(name.asset),
               .version = std::move(name.version),
               .facts = std::move(facts)};
  clip.is_whole = std::ranges::all_of(playlists, [](auto& each) { return each.second.ended; });
  for (const auto& [rendition, playlist] : playlists)
    clip.playlists[rendition] = media::write(playlist);
  clip.holds = clip::holds_of(playlists, clip.asset, clip.version);
  clip.objects = clip::named_by(playlists, clip.asset, clip.version);
  auto multivariant = clip::multivariant_playlist(of, playlists, clip.asset, clip.version,
                                                  measured_in(catalog, clip.tenant));
  clip.playlists[""] = media::write(multivariant);
  clip.renditions = renditions_of(multivariant);
  if (clip.facts.exactness == Exactness::pending && clip.is_whole)
    clip.exact_version = new_version();
  for (const Rendition& each : clip.renditions) {
    if (each.height <= clip.height) continue;
    clip.width = each.width;
    clip.height = each.height;
  }
  return clip;
}

}  // namespace relay::origin
