// The catalog's clips whose edges are made exact: how the job that makes them ends.
#include <boost/json.hpp>

#include <utility>

#include "origin/catalog_change.hpp"

namespace relay::origin {

Result<Asset> Catalog::pending_clip(const Change& change, const media::Job& job) {
  auto asset = live_asset(change, job);
  if (!asset) return asset;
  if (!asset->clip || asset->clip->exactness != Exactness::pending)
    return fail(ErrorKind::not_found, ErrorSource::client, "this clip waits for nothing");
  return asset;
}

Result<Asset> Catalog::finish_clip(const media::Job& job, const ExactClip& clip) {
  Change change(*this);
  auto asset = pending_clip(change, job);
  if (!asset) return asset;
  forget_progress(job.tenant, job.asset);
  ClipFacts& facts = *asset->clip;
  facts.exactness = Exactness::exact;
  facts.shown_start_us = facts.start_us - facts.lead_in_us + clip.begin_us;
  facts.shown_end_us = facts.shown_start_us + clip.duration_us;
  facts.rough_version = asset->current_version;
  facts.rough_lead_in_us = std::exchange(facts.lead_in_us, 0);
  asset->current_version = job.version;
  asset->renditions = clip.renditions;
  asset->duration_ms = clip.duration_us / 1000;
  Result<void> put;
  for (const auto& [rendition, text] : clip.playlists)
    if (put)
      put = change.txn().put(tables_.playlists,
                             object_key(job.tenant, job.asset, job.version, rendition),
                             to_bytes(PlaylistRecord{text, wall_now(), true}));
  if (put)
    put = change.txn().put(tables_.versions, version_key(job.tenant, job.asset, job.version),
                           to_bytes(VersionRecord{VersionState::ready, 0}));
  if (put) put = write_holds(change, job.tenant, job.asset, job.version, clip.holds);
  if (put) put = change.put(*asset);
  if (put) put = change.commit();
  if (!put) return std::unexpected(put.error());
  return asset;
}

Result<GivenUp> Catalog::give_up_clip(const media::Job& job, const std::string& reason) {
  Change change(*this);
  auto asset = pending_clip(change, job);
  if (!asset) return std::unexpected(asset.error());
  forget_progress(job.tenant, job.asset);
  asset->clip->exactness = Exactness::rough;
  asset->clip->exact_error = reason;
  asset->newest_version = asset->current_version;
  auto released = drop_own(change, *asset, job.version);
  if (!released) return std::unexpected(released.error());
  auto put = change.put(*asset);
  if (put) put = change.commit();
  if (!put) return std::unexpected(put.error());
  return GivenUp{std::move(*asset), std::move(*released)};
}

}  // namespace relay::origin
