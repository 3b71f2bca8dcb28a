// The catalog's channels: their records, their segments, and how one becomes a recording.
#include <boost/json.hpp>

#include "origin/catalog_change.hpp"

namespace relay::origin {

using media::segment_object;

Result<Asset> Catalog::open_channel(const NewChannel& channel) {
  const media::Job& job = channel.record.job;
  Change change(*this);
  if (auto ready = change.ready(); !ready) return std::unexpected(ready.error());
  auto old = change.asset(job.tenant, job.asset);
  if (!old) return std::unexpected(old.error());
  if (*old) {
    return fail(ErrorKind::conflict, ErrorSource::client,
                "'" + job.asset + "' is there already; delete it first or choose another name");
  }
  Asset asset;
  asset.tenant = job.tenant;
  asset.name = job.asset;
  asset.kind = AssetKind::channel;
  asset.state = AssetState::live;
  asset.title = channel.title;
  asset.tags = channel.tags;
  asset.created = wall_now();
  asset.newest_version = job.version;
  auto put = change.txn().put(tables_.versions, version_key(job.tenant, job.asset, job.version),
                              to_bytes(VersionRecord{VersionState::open, 0}));
  if (put)
    put = change.txn().put(tables_.channels, asset_key(job.tenant, job.asset),
                           to_bytes(channel.record));
  if (put) put = change.put(asset);
  if (put) put = change.commit();
  if (!put) return std::unexpected(put.error());
  return asset;
}

Result<void> Catalog::set_channel(const live::ChannelRecord& record) {
  Change change(*this);
  auto asset = live_asset(change, record.job);
  if (!asset) return std::unexpected(asset.error());
  if (asset->state != AssetState::live)
    return fail(ErrorKind::conflict, ErrorSource::client, "the channel has ended");
  auto put = change.txn().put(tables_.channels, asset_key(record.job.tenant, record.job.asset),
                              to_bytes(record));
  if (put) put = change.commit();
  return put;
}

Result<void> Catalog::add_segment(const media::Job& job, const std::string& rendition,
                                  const live::Segment& segment, const ObjectRecord& object) {
  Change change(*this);
  if (auto asset = live_asset(change, job); !asset) return std::unexpected(asset.error());
  std::string path = segment_object(rendition, segment.number);
  auto put = change.txn().put(tables_.segments, segment_key(job, rendition, segment.number),
                              live::to_bytes(segment));
  if (put)
    put = change.txn().put(tables_.objects, object_key(job.tenant, job.asset, job.version, path),
                           to_bytes(object));
  if (put) put = change.commit();
  return put;
}

Result<std::vector<std::int64_t>> Catalog::remove_segments(
    const media::Job& job, const std::string& rendition, const std::vector<std::int64_t>& numbers) {
  Change change(*this);
  if (auto ready = change.ready(); !ready) return std::unexpected(ready.error());
  auto holds = holds_on(change, job.tenant, job.asset, job.version);
  if (!holds) return std::unexpected(holds.error());
  const clip::Held held(*holds);
  std::vector<std::int64_t> free;
  for (std::int64_t number : numbers) {
    std::string path = segment_object(rendition, number);
    auto gone = change.txn().erase(tables_.segments, segment_key(job, rendition, number));
    if (!gone) return std::unexpected(gone.error());
    if (held.has(rendition, number)) continue;
    gone =
        change.txn().erase(tables_.objects, object_key(job.tenant, job.asset, job.version, path));
    if (!gone) return std::unexpected(gone.error());
    free.push_back(number);
  }
  if (auto committed = change.commit(); !committed) return std::unexpected(committed.error());
  return free;
}

Result<Asset> Catalog::end_channel(const media::Job& job,
                                   const std::map<std::string, std::string>& playlists,
                                   std::int64_t duration_ms, std::vector<Rendition> renditions) {
  Change change(*this);
  auto asset = live_asset(change, job);
  if (!asset) return std::unexpected(asset.error());
  bool shown = !playlists.empty() && !asset->current_version.empty();
  asset->state = shown ? AssetState::ready : AssetState::failed;
  asset->error = shown ? ""
                 : asset->current_version.empty()
                     ? "the channel ended before anything was published on it"
                     : "nothing of the channel was left in its window when it ended";
  asset->duration_ms = duration_ms;
  if (!renditions.empty()) asset->renditions = std::move(renditions);
  for (const Rendition& each : asset->renditions) {
    if (each.height <= asset->height) continue;
    asset->width = each.width;
    asset->height = each.height;
  }
  Result<void> put;
  for (const auto& [rendition, text] : playlists) {
    if (!put) break;
    put = change.txn().put(tables_.playlists,
                           object_key(job.tenant, job.asset, job.version, rendition),
                           to_bytes(PlaylistRecord{text, wall_now(), true}));
  }
  VersionRecord version{shown ? VersionState::ready : VersionState::failed, 0};
  if (put)
    put = change.txn().put(tables_.versions, version_key(job.tenant, job.asset, job.version),
                           to_bytes(version));
  if (put) put = change.put(*asset);
  auto gone = change.txn().erase(tables_.channels, asset_key(job.tenant, job.asset));
  if (put && !gone) return std::unexpected(gone.error());
  if (put) put = change.commit();
  if (!put) return std::unexpected(put.error());
  return std::move(*asset);
}

void Catalog::note_channel(const media::Job& job, const std::string& state) {
  if (listener_) listener_({0, job.tenant, "channel", state});
}

}  // namespace relay::origin
