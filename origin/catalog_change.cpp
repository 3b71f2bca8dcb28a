// The changing half of the catalog: each member is one synced transaction.
#include <boost/json.hpp>

#include <algorithm>

#include "common/http/json_text.hpp"
#include "origin/catalog_change.hpp"

namespace relay::origin {
namespace {

Error deleted_meanwhile(const media::Job& job) {
  return Error{ErrorKind::not_found, ErrorSource::client, false,
               "version " + job.version + " of " + job.tenant + "/" + job.asset +
                   " was deleted or superseded"};
}

std::unexpected<Error> conflict(std::string message) {
  return fail(ErrorKind::conflict, ErrorSource::client, std::move(message));
}

/// Why the source can't become a version of the asset that is there; nullopt: it can.
std::optional<std::string> why_not(const Asset& old, const NewSource& source) {
  if (old.kind != source.kind) {
    return "'" + old.name + "' is a " + name(old.kind) + "; delete it first to publish a " +
           name(source.kind) + " under this name";
  }
  bool other_bytes = old.sha256 != source.sha256;
  if (old.kind == AssetKind::photo && other_bytes && old.state != AssetState::failed) {
    return "'" + old.name +
           "' is a published photo, and its bytes never change at their address; delete it first "
           "or choose another name";
  }
  return std::nullopt;
}

/// Title and tags, when given; true when that changed anything.
bool apply_labels(Asset& asset, const std::optional<std::string>& title,
                  const std::optional<std::vector<std::string>>& tags) {
  bool changed = (title && *title != asset.title) || (tags && *tags != asset.tags);
  if (title) asset.title = *title;
  if (tags) asset.tags = *tags;
  return changed;
}

Asset queued_asset(Asset asset, const NewSource& source) {
  apply_labels(asset, source.title, source.tags);
  asset.tenant = source.tenant;
  asset.name = source.asset;
  asset.kind = source.kind;
  asset.state = AssetState::queued;
  asset.sha256 = source.sha256;
  asset.bytes = source.bytes;
  asset.newest_version = source.version;
  asset.error.clear();
  return asset;
}

}  // namespace

Result<Asset> Catalog::live_asset(const Change& change, const media::Job& job) {
  if (auto ready = change.ready(); !ready) return std::unexpected(ready.error());
  auto found = change.asset(job.tenant, job.asset);
  if (!found) return std::unexpected(found.error());
  if (!*found || (*found)->newest_version != job.version) {
    return std::unexpected(deleted_meanwhile(job));
  }
  return std::move(**found);
}

Result<Accepted> Catalog::accept(const NewSource& source) {
  Change change(*this);
  if (auto ready = change.ready(); !ready) return std::unexpected(ready.error());
  auto old = change.asset(source.tenant, source.asset);
  if (!old) return std::unexpected(old.error());
  Accepted accepted;
  if (*old) {
    if (auto why = why_not(**old, source)) return conflict(std::move(*why));
    accepted.asset = std::move(**old);
    if (accepted.asset.sha256 == source.sha256 && accepted.asset.state != AssetState::failed) {
      accepted.acceptance = Acceptance::unchanged;
      if (!apply_labels(accepted.asset, source.title, source.tags)) return accepted;
      if (auto put = change.put(accepted.asset); !put) return std::unexpected(put.error());
      if (auto done = change.commit(); !done) return std::unexpected(done.error());
      return accepted;
    }
    accepted.acceptance = Acceptance::replaced;
    accepted.superseded_version = accepted.asset.newest_version;
  } else {
    accepted.asset.created = wall_now();
  }
  forget_progress(source.tenant, source.asset);
  accepted.asset = queued_asset(std::move(accepted.asset), source);
  VersionRecord version{VersionState::open, source.bytes, source.sha256};
  auto put =
      change.txn().put(tables_.versions, version_key(source.tenant, source.asset, source.version),
                       to_bytes(version));
  if (put) put = change.put(accepted.asset);
  if (put) put = change.commit();
  if (!put) return std::unexpected(put.error());
  return accepted;
}

Result<void> Catalog::begin(const media::Job& job) {
  Change change(*this);
  auto asset = live_asset(change, job);
  if (!asset) return std::unexpected(asset.error());
  if (asset->state == AssetState::processing) return {};
  if (job.kind == media::JobKind::edges && asset->clip &&
      asset->clip->exactness == Exactness::pending)
    return {};
  if (asset->state != AssetState::queued) {
    return conflict("this version is " + std::string(name(asset->state)) + " already");
  }
  asset->state = AssetState::processing;
  if (auto put = change.put(*asset); !put) return put;
  return change.commit();
}

Result<void> Catalog::put_back(const media::Job& job) {
  Change change(*this);
  auto asset = live_asset(change, job);
  if (!asset) return std::unexpected(asset.error());
  if (asset->state != AssetState::processing) return {};
  asset->state = AssetState::queued;
  if (auto put = change.put(*asset); !put) return put;
  return change.commit();
}

Result<ObjectOutcome> Catalog::add_object(const media::Job& job, std::string_view path,
                                          const ObjectRecord& record) {
  Change change(*this);
  if (auto asset = live_asset(change, job); !asset) return std::unexpected(asset.error());
  std::string key = object_key(job.tenant, job.asset, job.version, path);
  auto bytes = change.txn().get(tables_.objects, key);
  if (!bytes) return std::unexpected(bytes.error());
  if (*bytes) {
    auto old = object_from_bytes(**bytes);
    if (!old) return std::unexpected(old.error());
    if (old->digest == record.digest && old->bytes == record.bytes) return ObjectOutcome::same;
    return conflict("'" + std::string(path) + "' is stored with other bytes already");
  }
  auto put = change.txn().put(tables_.objects, key, to_bytes(record));
  if (put) put = change.commit();
  if (!put) return std::unexpected(put.error());
  return ObjectOutcome::stored;
}

Result<void> Catalog::set_playlist(const media::Job& job, std::string_view rendition,
                                   const PlaylistRecord& record) {
  Change change(*this);
  if (auto asset = live_asset(change, job); !asset) return std::unexpected(asset.error());
  auto put =
      change.txn().put(tables_.playlists, object_key(job.tenant, job.asset, job.version, rendition),
                       to_bytes(record));
  if (put) put = change.commit();
  return put;
}

Result<bool> Catalog::set_multivariant(const media::Job& job, const PlaylistRecord& record,
                                       std::vector<Rendition> renditions) {
  Change change(*this);
  auto asset = live_asset(change, job);
  if (!asset) return std::unexpected(asset.error());
  bool switched = asset->current_version != job.version;
  if (switched) show(*asset, job.version, {VersionState::open, asset->bytes, asset->sha256});
  asset->renditions = std::move(renditions);
  auto put = change.txn().put(tables_.playlists, object_key(job.tenant, job.asset, job.version, ""),
                              to_bytes(record));
  if (put) put = change.put(*asset);
  if (put) put = change.commit();
  if (!put) return std::unexpected(put.error());
  return switched;
}

Result<Settled> Catalog::settle(const media::Job& job, const media::JobResult& result) {
  Change change(*this);
  auto asset = live_asset(change, job);
  if (!asset) return std::unexpected(asset.error());
  forget_progress(job.tenant, job.asset);
  auto others = other_versions(change, *asset);
  if (!others) return std::unexpected(others.error());
  Settled settled;
  VersionRecord version{VersionState::failed, asset->bytes, asset->sha256};
  if (result.ready) {
    settled.stale_sources = others->names;
    version.state = VersionState::ready;
    version.result = result;
    become_ready(*asset, job, version);
  } else {
    settled.stale_sources = {job.version};
    if (auto failed = become_failed(change, *asset, *others, result.reason); !failed)
      return std::unexpected(failed.error());
  }
  auto put = change.txn().put(tables_.versions, version_key(job.tenant, job.asset, job.version),
                              to_bytes(version));
  if (put) put = change.put(*asset);
  if (put) put = change.commit();
  if (!put) return std::unexpected(put.error());
  settled.asset = std::move(*asset);
  return settled;
}

void Catalog::show(Asset& asset, const std::string& version, const VersionRecord& record) {
  asset.current_version = version;
  asset.current_sha256 = record.source_sha256;
  asset.current_bytes = record.source_bytes;
  asset.current_whole = record.state == VersionState::ready;
  asset.width = record.result.width;
  asset.height = record.result.height;
  asset.duration_ms = record.result.duration_ms;
  asset.warnings = record.result.warnings;
}

void Catalog::become_ready(Asset& asset, const media::Job& job, const VersionRecord& version) {
  asset.state = AssetState::ready;
  asset.error.clear();
  show(asset, job.version, version);
  asset.photo_widths = version.result.photo_widths;
  std::ranges::sort(asset.photo_widths);
}

/// Viewers keep what is whole, or get it back: so far it may have been this version that they got,
/// or one that was superseded before it was done.
Result<void> Catalog::become_failed(const Change& change, Asset& asset, const OtherVersions& others,
                                    const std::string& reason) {
  asset.state = AssetState::failed;
  asset.error = reason;
  bool is_own = asset.current_version == asset.newest_version;
  if (!is_own && (asset.current_whole || others.newest_ready.empty())) return {};
  show(asset, others.newest_ready, others.newest_ready_record);
  auto shown = renditions_shown(change, asset);
  if (!shown) return std::unexpected(shown.error());
  asset.renditions = std::move(*shown);
  return {};
}

Result<Catalog::OtherVersions> Catalog::other_versions(const Change& change, const Asset& asset) {
  OtherVersions others;
  std::string prefix = version_key(asset.tenant, asset.name, "");
  auto keys = keys_of(change.txn(), change.tables().versions, prefix);
  if (!keys) return std::unexpected(keys.error());
  for (const std::string& key : *keys) {
    std::string version = key.substr(prefix.size());
    if (version == asset.newest_version) continue;
    auto bytes = change.txn().get(change.tables().versions, key);
    if (!bytes) return std::unexpected(bytes.error());
    auto record = version_from_bytes(**bytes);
    if (!record) return std::unexpected(record.error());
    if (record->state == VersionState::ready) {  // names sort by age
      others.newest_ready = version;
      others.newest_ready_record = std::move(*record);
    }
    others.names.push_back(std::move(version));
  }
  return others;
}

Result<std::vector<Rendition>> Catalog::renditions_shown(const Change& change, const Asset& asset) {
  if (asset.current_version.empty()) return std::vector<Rendition>();
  auto bytes = change.txn().get(change.tables().playlists,
                                object_key(asset.tenant, asset.name, asset.current_version, ""));
  if (!bytes) return std::unexpected(bytes.error());
  if (!*bytes) return std::vector<Rendition>();
  auto record = playlist_from_bytes(**bytes);
  if (!record) return std::unexpected(record.error());
  auto playlist = media::read_multivariant_playlist(record->text);
  if (!playlist) return std::unexpected(playlist.error());
  return renditions_of(*playlist);
}

Result<std::optional<Asset>> Catalog::relabel(std::string_view tenant, std::string_view asset_name,
                                              const std::optional<std::string>& title,
                                              const std::optional<std::vector<std::string>>& tags) {
  Change change(*this);
  if (auto ready = change.ready(); !ready) return std::unexpected(ready.error());
  auto asset = change.asset(tenant, asset_name);
  if (!asset || !*asset) return asset;
  if (!apply_labels(**asset, title, tags)) return asset;
  auto put = change.put(**asset);
  if (put) put = change.commit();
  if (!put) return std::unexpected(put.error());
  return asset;
}

Result<std::optional<Removal>> Catalog::remove(std::string_view tenant, std::string_view asset) {
  Change change(*this);
  if (auto ready = change.ready(); !ready) return std::unexpected(ready.error());
  auto found = change.asset(tenant, asset);
  if (!found) return std::unexpected(found.error());
  if (!*found) return std::nullopt;
  if (auto unheld = check_unheld(change, tenant, asset); !unheld)
    return std::unexpected(unheld.error());
  Removal removal;
  if ((*found)->clip) {
    auto released = drop_old_clips(change, **found, {});
    if (!released) return std::unexpected(released.error());
    removal.released = std::move(*released);
  }
  std::string prefix = version_key(tenant, asset, "");
  for (store::Table table : {tables_.assets, tables_.channels})
    if (auto gone = change.txn().erase(table, asset_key(tenant, asset)); !gone)
      return std::unexpected(gone.error());
  for (store::Table table :
       {tables_.versions, tables_.playlists, tables_.objects, tables_.segments}) {
    auto gone = erase_prefix(change.txn(), table, prefix);
    if (!gone) return std::unexpected(gone.error());
  }
  forget_progress(tenant, asset);
  boost::json::object data{{"tenant", tenant}, {"asset", asset}, {"state", "deleted"}};
  change.note({0, std::string(tenant), "deleted", http::json_text(data)});
  if (auto committed = change.commit(); !committed) return std::unexpected(committed.error());
  return removal;
}

void Catalog::note_progress(const media::Job& job, const media::Progress& progress) {
  auto known = asset(job.tenant, job.asset);
  if (!known || !*known || (*known)->newest_version != job.version) return;
  {
    std::lock_guard lock(progress_mutex_);
    progress_[asset_key(job.tenant, job.asset)] = progress;
  }
  if (listener_) listener_({0, job.tenant, "progress", http::json_text(document(**known))});
}

void Catalog::note_stage(const media::Job& job, std::string_view stage) {
  media::Progress now = progress(job.tenant, job.asset).value_or(media::Progress{});
  now.stage = stage;
  note_progress(job, now);
}

void Catalog::forget_progress(std::string_view tenant, std::string_view asset) {
  std::lock_guard lock(progress_mutex_);
  if (auto at = progress_.find(asset_key(tenant, asset)); at != progress_.end()) {
    progress_.erase(at);
  }
}

}  // namespace relay::origin
