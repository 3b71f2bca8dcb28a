// The catalog's clips whose end is still being made.
#include <boost/json.hpp>

#include <utility>

#include "origin/catalog_change.hpp"
#include "origin/clip/growth.hpp"

namespace relay::origin {

Result<Asset> Catalog::grow_clip(const NewClip& clip) {
  Change change(*this);
  if (auto ready = change.ready(); !ready) return std::unexpected(ready.error());
  auto asset = change.asset(clip.tenant, clip.asset);
  if (!asset) return std::unexpected(asset.error());
  if (!*asset || !is_growing(**asset) || (*asset)->current_version != clip.version)
    return fail(ErrorKind::not_found, ErrorSource::client, "this clip does not grow any more");
  if (auto there = check_objects(change, clip); !there) return std::unexpected(there.error());
  Asset& grown = **asset;
  grown.state = clip.is_whole ? AssetState::ready : AssetState::processing;
  grown.newest_version = clip.exact_version.empty() ? clip.version : clip.exact_version;
  grown.renditions = clip.renditions;
  grown.duration_ms = clip.duration_ms;
  grown.clip = clip.facts;
  auto put = put_playlists(change, clip);
  if (put) put = write_holds(change, clip.tenant, clip.asset, clip.version, clip.holds);
  if (put) put = change.put(grown);
  if (put) put = change.commit();
  if (!put) return std::unexpected(put.error());
  return std::move(grown);
}

/// Nothing more comes: whoever plays it need not wait.
Result<void> Catalog::end_growing(Change& change, const Asset& clip) {
  std::string prefix = object_key(clip.tenant, clip.name, clip.current_version, "");
  auto keys = keys_of(change.txn(), tables_.playlists, prefix);
  if (!keys) return std::unexpected(keys.error());
  for (const std::string& key : *keys) {
    auto bytes = change.txn().get(tables_.playlists, key);
    if (!bytes) return std::unexpected(bytes.error());
    auto record = playlist_from_bytes(bytes->value_or(""));
    if (!record) return std::unexpected(record.error());
    bool is_media = key.size() > prefix.size();
    std::string text = is_media ? clip::closed(std::move(record->text)) : std::move(record->text);
    auto put =
        change.txn().put(tables_.playlists, key, to_bytes(PlaylistRecord{text, wall_now(), true}));
    if (!put) return put;
  }
  return {};
}

}  // namespace relay::origin
