// The catalog's clips: what they hold of their sources, and when that is let go. A segment of a
// channel has up to two reasons to stay: it is the channel's (table segments), or clips hold it
// (table holds). Its object goes with the last one, in the transaction that takes that away. The
// same holds for the pieces that an exact clip has of its own: they are its version's, until that
// is dropped, and held by clips that were made of it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json.hpp>
#include <iterator>

#include "origin/catalog_change.hpp"

namespace relay::origin {
namespace {

/// Each is looked at when a segment leaves its channel's window.
constexpr std::size_t clips_of_source_max = 5000;
constexpr std::size_t clips_named_max = 5;  // in a message

std::string hold_key(std::string_view tenant, const clip::Holds& holds, std::string_view asset,
                     std::string_view version) {
  return object_key(tenant, holds.asset, holds.version, asset).append("/").append(version);
}

std::unexpected<Error> not_there(const NewClip& clip) {
  return fail(ErrorKind::not_found, ErrorSource::client,
              "'" + clip.facts.from + "' has changed in the meantime; try again", true);
}

/// Of "tenant/source/version/clip/version" the part with this number.
std::string_view part_of(std::string_view key, int number) {
  for (; number > 0; --number) key.remove_prefix(key.find('/') + 1);
  return key.substr(0, key.find('/'));
}

Asset clip_asset(Asset asset, const NewClip& clip) {
  if (clip.title) asset.title = *clip.title;
  if (clip.tags) asset.tags = *clip.tags;
  asset.tenant = clip.tenant;
  asset.name = clip.asset;
  asset.kind = AssetKind::clip;
  asset.state = clip.is_whole ? AssetState::ready : AssetState::processing;
  asset.current_version = clip.version;
  asset.newest_version = clip.exact_version.empty() ? clip.version : clip.exact_version;
  asset.renditions = clip.renditions;
  asset.width = clip.width;
  asset.height = clip.height;
  asset.duration_ms = clip.duration_ms;
  asset.clip = clip.facts;
  return asset;
}

/// Whoever plays the version that was replaced goes on, and who began before it was made exact too.
std::vector<std::string> kept_of(const Asset& old) {
  std::vector<std::string> kept{old.current_version};
  if (old.clip && !old.clip->rough_version.empty()) kept.push_back(old.clip->rough_version);
  return kept;
}

/// `clips`: of the `count` that hold it the first ones, in the order in which they can be deleted.
std::string why_held(std::string_view asset, const std::vector<std::string>& clips,
                     std::size_t count) {
  if (count == 1)
    return fmt::format(
        "'{}' cannot be deleted: a clip made of it plays its segments; delete '{}' "
        "first",
        asset, clips.front());
  std::string named = fmt::format("'{}'", fmt::join(clips, "', '"));
  if (clips.size() < count) named += fmt::format(" and {} more", count - clips.size());
  return fmt::format(
      "'{}' cannot be deleted: {} clips made of it play its segments; delete them "
      "first, in this order: {}",
      asset, count, named);
}

}  // namespace

Result<MadeClip> Catalog::make_clip(const NewClip& clip) {
  Change change(*this);
  if (auto ready = change.ready(); !ready) return std::unexpected(ready.error());
  auto old = change.asset(clip.tenant, clip.asset);
  if (!old) return std::unexpected(old.error());
  if (*old && (*old)->kind != AssetKind::clip)
    return fail(ErrorKind::conflict, ErrorSource::client,
                "'" + clip.asset + "' is a " + name((*old)->kind) +
                    "; delete it first to publish a clip under this name");
  auto source = change.asset(clip.tenant, clip.facts.from);
  if (!source) return std::unexpected(source.error());
  if (!*source) return not_there(clip);
  if (auto there = check_objects(change, clip); !there) return std::unexpected(there.error());
  MadeClip made{.is_new = !*old};
  made.asset = clip_asset(*old ? **old : Asset{.created = wall_now()}, clip);
  Result<void> put;
  if (*old && is_growing(**old)) put = end_growing(change, **old);
  if (put) put = put_holds(change, clip);
  if (put) put = put_playlists(change, clip);
  if (!put) return std::unexpected(put.error());
  if (*old) {
    auto released = drop_old_clips(change, made.asset, kept_of(**old));
    if (!released) return std::unexpected(released.error());
    made.released = std::move(*released);
  }
  forget_progress(clip.tenant, clip.asset);
  if (*old && (*old)->newest_version != (*old)->current_version) {
    made.superseded_version = (*old)->newest_version;
    auto dropped = drop_own(change, made.asset, made.superseded_version);
    if (!dropped) return std::unexpected(dropped.error());
    std::ranges::move(*dropped, std::back_inserter(made.released));
  }
  put = change.put(made.asset);
  if (put) put = change.commit();
  if (!put) return std::unexpected(put.error());
  return made;
}

Result<void> Catalog::check_objects(const Change& change, const NewClip& clip) {
  for (const clip::Place& each : clip.objects) {
    auto bytes = change.txn().get(change.tables().objects,
                                  object_key(clip.tenant, each.asset, each.version, each.object));
    if (!bytes) return std::unexpected(bytes.error());
    if (!*bytes) return not_there(clip);
  }
  return {};
}

Result<void> Catalog::put_playlists(Change& change, const NewClip& clip) {
  const Tables& tables = change.tables();
  auto put = change.txn().put(tables.versions, version_key(clip.tenant, clip.asset, clip.version),
                              to_bytes(VersionRecord{VersionState::ready, 0}));
  if (put && !clip.exact_version.empty())
    put =
        change.txn().put(tables.versions, version_key(clip.tenant, clip.asset, clip.exact_version),
                         to_bytes(VersionRecord{VersionState::open, 0}));
  for (const auto& [rendition, text] : clip.playlists)
    if (put)
      put = change.txn().put(tables.playlists,
                             object_key(clip.tenant, clip.asset, clip.version, rendition),
                             to_bytes(PlaylistRecord{text, wall_now(), clip.is_whole}));
  return put;
}

Result<void> Catalog::put_holds(Change& change, const NewClip& clip) {
  for (const clip::Holds& holds : clip.holds) {
    auto others = keys_of(change.txn(), tables_.holds,
                          object_key(clip.tenant, holds.asset, holds.version, ""));
    if (!others) return std::unexpected(others.error());
    if (others->size() >= clips_of_source_max)
      return fail(ErrorKind::conflict, ErrorSource::client,
                  "'" + holds.asset + "' has too many clips already; delete some first");
  }
  return write_holds(change, clip.tenant, clip.asset, clip.version, clip.holds);
}

Result<void> Catalog::write_holds(Change& change, std::string_view tenant, std::string_view asset,
                                  std::string_view version, const std::vector<clip::Holds>& all) {
  const Tables& tables = change.tables();
  auto put = change.txn().put(tables.clips, version_key(tenant, asset, version), to_bytes(all));
  for (const clip::Holds& holds : all)
    if (put) put = change.txn().put(tables.holds, hold_key(tenant, holds, asset, version), "-");
  return put;
}

Result<std::vector<clip::Holds>> Catalog::holds_on(const Change& change, std::string_view tenant,
                                                   std::string_view asset,
                                                   std::string_view version) const {
  std::vector<clip::Holds> all;
  auto keys = keys_of(change.txn(), tables_.holds, object_key(tenant, asset, version, ""));
  if (!keys) return std::unexpected(keys.error());
  for (const std::string& key : *keys) {
    auto bytes =
        change.txn().get(tables_.clips, version_key(tenant, part_of(key, 3), part_of(key, 4)));
    if (!bytes) return std::unexpected(bytes.error());
    auto held = clip::holds_from_bytes(bytes->value_or(""));
    if (!held) return std::unexpected(held.error());
    for (clip::Holds& holds : *held)
      if (holds.asset == asset && holds.version == version) all.push_back(std::move(holds));
  }
  return all;
}

Result<std::set<std::string>> Catalog::clips_on(const Change& change, std::string_view tenant,
                                                std::string_view asset) {
  auto keys = keys_of(change.txn(), change.tables().holds, version_key(tenant, asset, ""));
  if (!keys) return std::unexpected(keys.error());
  std::set<std::string> clips;
  for (const std::string& key : *keys) clips.emplace(part_of(key, 3));
  clips.erase(std::string(asset));  // an earlier version of it
  return clips;
}

Result<std::string> Catalog::first_to_delete(const Change& change, std::string_view tenant,
                                             const std::set<std::string>& clips) {
  for (const std::string& clip : clips) {
    auto others = clips_on(change, tenant, clip);
    if (!others) return std::unexpected(others.error());
    if (std::ranges::none_of(*others, [&](auto& other) { return clips.contains(other); }))
      return clip;
  }
  return *clips.begin();  // each holds the other's earlier version
}

Result<void> Catalog::check_unheld(const Change& change, std::string_view tenant,
                                   std::string_view asset) {
  auto clips = clips_on(change, tenant, asset);
  if (!clips) return std::unexpected(clips.error());
  if (clips->empty()) return {};
  std::size_t count = clips->size();
  std::vector<std::string> order;
  while (!clips->empty() && order.size() < clips_named_max) {
    auto next = first_to_delete(change, tenant, *clips);
    if (!next) return std::unexpected(next.error());
    clips->erase(*next);
    order.push_back(std::move(*next));
  }
  return fail(ErrorKind::conflict, ErrorSource::client, why_held(asset, order, count));
}

Result<std::vector<Released>> Catalog::drop_old_clips(Change& change, const Asset& clip,
                                                      const std::vector<std::string>& kept) {
  std::vector<Released> released;
  std::string prefix = version_key(clip.tenant, clip.name, "");
  auto keys = keys_of(change.txn(), tables_.clips, prefix);
  if (!keys) return std::unexpected(keys.error());
  for (const std::string& key : *keys) {
    std::string version = key.substr(prefix.size());
    bool is_kept =
        version == clip.current_version || std::ranges::find(kept, version) != kept.end();
    if (!kept.empty() && is_kept) continue;
    auto dropped = drop_clip(change, clip, version);
    if (!dropped) return dropped;
    std::ranges::move(*dropped, std::back_inserter(released));
  }
  return released;
}

Result<std::vector<Released>> Catalog::drop_clip(Change& change, const Asset& clip,
                                                 const std::string& version) {
  std::string key = version_key(clip.tenant, clip.name, version);
  auto bytes = change.txn().get(tables_.clips, key);
  if (!bytes) return std::unexpected(bytes.error());
  auto all = clip::holds_from_bytes(bytes->value_or(""));
  if (!all) return std::unexpected(all.error());
  auto gone = change.txn().erase(tables_.clips, key);
  for (const clip::Holds& holds : *all)
    if (gone)
      gone = change.txn().erase(tables_.holds, hold_key(clip.tenant, holds, clip.name, version));
  if (!gone) return std::unexpected(gone.error());
  std::vector<Released> released;
  for (const clip::Holds& holds : *all) {
    auto of_it = release(change, clip, holds);
    if (!of_it) return of_it;
    std::ranges::move(*of_it, std::back_inserter(released));
  }
  auto own = drop_own(change, clip, version);
  if (!own) return own;
  std::ranges::move(*own, std::back_inserter(released));
  return released;
}

Result<std::vector<Released>> Catalog::drop_own(Change& change, const Asset& clip,
                                                const std::string& version) {
  auto gone = erase_prefix(change.txn(), tables_.playlists,
                           object_key(clip.tenant, clip.name, version, ""));
  if (!gone) return std::unexpected(gone.error());
  return drop_unheld(change, clip.tenant, clip.name, version);
}

Result<std::vector<Released>> Catalog::drop_unheld(Change& change, const std::string& tenant,
                                                   const std::string& asset,
                                                   const std::string& version) {
  auto holds = holds_on(change, tenant, asset, version);
  if (!holds) return std::unexpected(holds.error());
  const clip::Held held(*holds);
  std::string prefix = object_key(tenant, asset, version, "");
  auto keys = keys_of(change.txn(), tables_.objects, prefix);
  if (!keys) return std::unexpected(keys.error());
  std::vector<Released> released;
  for (const std::string& key : *keys) {
    std::string object = key.substr(prefix.size());
    if (held.has(object)) continue;
    auto gone = change.txn().erase(tables_.objects, key);
    if (!gone) return std::unexpected(gone.error());
    released.push_back({asset, version, std::move(object)});
  }
  // The record stays as long as there is a file: a start removes what has none.
  std::string record = version_key(tenant, asset, version);
  bool is_left = released.size() < keys->size();
  if (is_left) {
    auto put = change.txn().put(tables_.versions, record,
                                to_bytes(VersionRecord{VersionState::dropped, 0}));
    if (!put) return std::unexpected(put.error());
    return released;
  }
  auto gone = change.txn().erase(tables_.versions, record);
  if (!gone) return std::unexpected(gone.error());
  return released;
}

Result<std::vector<Released>> Catalog::release(Change& change, const Asset& clip,
                                               const clip::Holds& holds) {
  auto source = change.asset(clip.tenant, holds.asset);
  if (!source) return std::unexpected(source.error());
  if (!*source) return std::vector<Released>();
  if ((*source)->kind == AssetKind::clip) return release_pieces(change, clip.tenant, holds);
  if ((*source)->kind == AssetKind::channel) return release_segments(change, clip.tenant, holds);
  return std::vector<Released>();  // a video keeps its own
}

Result<std::vector<Released>> Catalog::release_pieces(Change& change, const std::string& tenant,
                                                      const clip::Holds& holds) {
  auto bytes = change.txn().get(tables_.versions, version_key(tenant, holds.asset, holds.version));
  if (!bytes) return std::unexpected(bytes.error());
  if (!*bytes) return std::vector<Released>();
  auto version = version_from_bytes(**bytes);
  if (!version) return std::unexpected(version.error());
  if (version->state != VersionState::dropped) return std::vector<Released>();
  return drop_unheld(change, tenant, holds.asset, holds.version);
}

Result<std::vector<Released>> Catalog::release_segments(Change& change, const std::string& tenant,
                                                        const clip::Holds& holds) {
  std::vector<Released> released;
  auto others = holds_on(change, tenant, holds.asset, holds.version);
  if (!others) return std::unexpected(others.error());
  const clip::Held still_held(*others);
  for (const clip::Hold& hold : holds.held) {
    for (const clip::Range& range : still_held.without(hold)) {
      auto gone =
          release_segments(change, tenant, holds, {hold.rendition, range.first, range.last});
      if (!gone) return gone;
      std::ranges::move(*gone, std::back_inserter(released));
    }
  }
  return released;
}

Result<std::vector<Released>> Catalog::release_segments(Change& change, const std::string& tenant,
                                                        const clip::Holds& holds,
                                                        const clip::Hold& free) {
  std::vector<Released> released;
  media::Job job{.tenant = tenant, .asset = holds.asset, .version = holds.version};
  for (std::int64_t number = free.first; number <= free.last; ++number) {
    auto own = change.txn().get(tables_.segments, segment_key(job, free.rendition, number));
    if (!own) return std::unexpected(own.error());
    if (*own) continue;
    std::string object = media::segment_object(free.rendition, number);
    auto gone =
        change.txn().erase(tables_.objects, object_key(tenant, holds.asset, holds.version, object));
    if (!gone) return std::unexpected(gone.error());
    if (*gone) released.push_back({holds.asset, holds.version, std::move(object)});
  }
  return released;
}

}  // namespace relay::origin
