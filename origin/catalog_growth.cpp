// The catalog's clips whose end is still being made.
#include <boost/json.hpp>

#include <utility>

#include "origin/catalog_change.hpp"

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

Result<void> Catalog::end_replaced_clip(const NewClip& version) {
  Change change(*this);
  if (auto ready = change.ready(); !ready) return ready;
  auto bytes = change.txn().get(tables_.versions,
                                version_key(version.tenant, version.asset, version.version));
  if (!bytes) return std::unexpected(bytes.error());
  if (!*bytes) return {};
  auto record = version_from_bytes(**bytes);
  if (!record) return std::unexpected(record.error());
  if (record->state != VersionState::ready) return {};
  if (auto put = put_playlists(change, version); !put) return put;
  return change.commit();
}

}  // namespace relay::origin
