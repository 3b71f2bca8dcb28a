#include "origin/clip_edges.hpp"

#include <filesystem>
#include <optional>
#include <utility>

#include "common/base/log.hpp"
#include "common/media/media_path.hpp"
#include "common/store/file.hpp"
#include "origin/clip/sheets.hpp"
#include "origin/clip_version.hpp"

namespace relay::origin {
namespace {

std::unexpected<Error> clip_gone(const media::Job& job) {
  return fail(ErrorKind::not_found, ErrorSource::client,
              "clip " + job.asset + " was deleted or replaced");
}

/// Of a clip's playlists that of its thumbnails, which no job cuts.
std::optional<clip::MediaPlaylists::value_type> take_sheets(
    const media::MultivariantPlaylist& multivariant, clip::MediaPlaylists& playlists) {
  if (multivariant.images.empty()) return std::nullopt;
  auto found = playlists.find(media::rendition_of(multivariant.images.front().uri));
  if (found == playlists.end()) return std::nullopt;
  clip::MediaPlaylists::value_type sheets(found->first, std::move(found->second));
  playlists.erase(found);
  return sheets;
}

std::unexpected<Error> no_lead() {
  return fail(ErrorKind::internal, ErrorSource::internal, "a clip has no renditions");
}

/// Not the disk's, for instance: another try would come to the same.
bool is_our_fault(const Error& error) {
  return error.kind == ErrorKind::internal && error.source == ErrorSource::internal;
}

struct SourceFile {
  std::filesystem::path path;
  std::uint64_t bytes = 0;  // as the catalog says: what comes behind it lies by that
};

/// Into a new file, synced.
Result<void> join_files(const std::vector<SourceFile>& files, const std::filesystem::path& into) {
  auto fd = store::create_new(into);
  if (!fd) return std::unexpected(fd.error());
  for (const SourceFile& file : files) {
    auto bytes = store::read_file(file.path);
    if (!bytes && bytes.error().kind == ErrorKind::not_found)
      return bad_input("a segment of the clip's source is not there any more");
    if (!bytes) return std::unexpected(bytes.error());
    if (bytes->size() != file.bytes)
      return bad_input("a segment of the clip's source is damaged: it has another size");
    if (auto written = store::write_all(fd->get(), *bytes); !written) return written;
  }
  return store::sync(fd->get());
}

}  // namespace

/// The source of a job: files one behind the other, and what lies where.
struct ClipEdges::Layout {
  media::EdgeJob job;
  std::vector<SourceFile> files;
  std::uint64_t bytes = 0;
};

Result<ClipEdges::Rough> ClipEdges::rough_of(const media::Job& job) const {
  auto asset = catalog_.asset(job.tenant, job.asset);
  if (!asset) return std::unexpected(asset.error());
  if (!*asset || !(*asset)->clip || (*asset)->newest_version != job.version) return clip_gone(job);
  const std::string& version = (*asset)->current_version;
  auto record = catalog_.playlist(job.tenant, job.asset, version, "");
  if (!record) return std::unexpected(record.error());
  if (!*record) return clip_gone(job);
  auto multivariant = media::read_multivariant_playlist((*record)->text);
  if (!multivariant) return std::unexpected(multivariant.error());
  auto playlists = media_playlists_of(catalog_, job.tenant, job.asset, version);
  if (!playlists) return std::unexpected(playlists.error());
  return Rough{std::move(**asset), std::move(*multivariant), std::move(*playlists)};
}

Result<void> ClipEdges::add(const std::string& tenant, const clip::Place& place,
                            Layout& layout) const {
  auto record = catalog_.object(tenant, place.asset, place.version, place.object);
  if (!record) return std::unexpected(record.error());
  if (!*record) return bad_input("a segment of the clip's source is not there any more");
  layout.files.push_back(
      {store_.media_path(tenant, place.asset, place.version, place.object), (*record)->bytes});
  layout.bytes += (*record)->bytes;
  return {};
}

Result<ClipEdges::Layout> ClipEdges::layout_of(const media::Job& job) const {
  auto rough = rough_of(job);
  if (!rough) return std::unexpected(rough.error());
  const Asset& asset = rough->asset;
  const ClipFacts& facts = *asset.clip;
  clip::EdgeWish wish{facts.lead_in_us, facts.lead_in_us + facts.end_us - facts.start_us};
  auto planned = clip::plan_edges(rough->multivariant, rough->playlists, wish);
  if (!planned) return std::unexpected(planned.error());
  auto root = catalog_.asset(job.tenant, facts.root);
  if (!root) return std::unexpected(root.error());
  Layout layout;
  layout.job.live = *root && (*root)->kind == AssetKind::channel;
  for (clip::PlannedEdges& each : *planned) {
    media::EdgeRendition rendition{each.rendition, each.picture, each.bit_s_max, {}};
    for (clip::PlannedPiece& planned_piece : each.pieces) {
      media::EdgePiece piece = planned_piece.piece;
      piece.offset = layout.bytes;
      for (const std::string& uri : {planned_piece.init_uri, planned_piece.segment_uri}) {
        auto place = clip::place_of(asset.name, asset.current_version, each.rendition, uri);
        if (auto added = add(job.tenant, place, layout); !added)
          return std::unexpected(added.error());
      }
      piece.bytes = layout.bytes - piece.offset;
      rendition.pieces.push_back(piece);
    }
    layout.job.renditions.push_back(std::move(rendition));
  }
  return layout;
}

Result<media::EdgeJob> ClipEdges::edges_of(const media::Job& job) const {
  auto layout = layout_of(job);
  if (!layout) return std::unexpected(layout.error());
  return std::move(layout->job);
}

Result<void> ClipEdges::write_source(const media::Job& job) {
  auto layout = layout_of(job);
  if (!layout) return std::unexpected(layout.error());
  std::error_code ec;
  auto there =
      std::filesystem::file_size(store_.source_path(job.tenant, job.asset, job.version), ec);
  if (!ec && there == layout->bytes) return {};
  if (auto room = check_room(layout->bytes); !room) return room;
  std::filesystem::path path = store_.incoming();
  auto done = join_files(layout->files, path);
  if (done) done = store_.adopt_source(path, job.tenant, job.asset, job.version);
  if (!done) {
    (void)store::remove_file(path);
    return done;
  }
  // Who deleted or replaced the clip meanwhile may have looked for its source too early.
  auto still = rough_of(job);
  if (still) return {};
  remove_source(job);
  return std::unexpected(still.error());
}

Result<void> ClipEdges::begin(const media::Job& job) {
  auto written = write_source(job);
  if (written || written.error().kind == ErrorKind::not_found) return written;
  const Error& why = written.error();
  bool refused = why.kind == ErrorKind::invalid;
  log::warn(
      "a clip's ends cannot be prepared",
      {log::kv("tenant", job.tenant), log::kv("asset", job.asset), log::kv("why", why.message)});
  // The broadcaster may read it in the end: no path and no errno.
  if (!refused && !is_our_fault(why))
    return fail(why.kind, why.source, "the clip's ends cannot be prepared now", true);
  remove_source(job);  // of an earlier try
  auto given_up = give_up(job, refused ? why.message : "its ends could not be prepared");
  if (!given_up) return std::unexpected(given_up.error());
  return clip_gone(job);
}

Result<void> ClipEdges::check_room(std::uint64_t bytes) const {
  auto free = store_.free_bytes();
  if (!free) return std::unexpected(free.error());
  if (*free >= free_space_min_ && *free - free_space_min_ >= bytes) return {};
  return fail(ErrorKind::no_space, ErrorSource::disk, "the disk of the origin is too full", true);
}

void ClipEdges::remove_source(const media::Job& job) {
  auto removed = store_.remove_source(job.tenant, job.asset, job.version);
  if (!removed) log::warn("a source stays behind", {log::kv("why", removed.error().message)});
}

Result<ExactClip> ClipEdges::exact_of(const media::Job& job, std::int64_t begin_us) const {
  auto rough = rough_of(job);
  if (!rough) return std::unexpected(rough.error());
  auto pieces = media_playlists_of(catalog_, job.tenant, job.asset, job.version);
  if (!pieces) return std::unexpected(pieces.error());
  auto sheets = take_sheets(rough->multivariant, rough->playlists);
  auto playlists = clip::exact_playlists(rough->playlists, *pieces);
  if (!playlists) return std::unexpected(playlists.error());
  auto lead = playlists->find(clip::lead_of(rough->multivariant));
  if (lead == playlists->end()) return no_lead();
  std::int64_t duration_us = clip::duration_us(lead->second);
  if (sheets)
    playlists->emplace(sheets->first, clip::exact_sheets(std::move(sheets->second), lead->second,
                                                         rough->asset.clip->lead_in_us));
  ExactClip exact{.begin_us = begin_us,
                  .duration_us = duration_us,
                  .holds = clip::holds_of(*playlists, job.asset, job.version)};
  for (const auto& [rendition, playlist] : *playlists)
    exact.playlists[rendition] = media::write(playlist);
  auto multivariant = clip::multivariant_playlist(rough->multivariant, *playlists, job.asset,
                                                  job.version, measured_in(catalog_, job.tenant));
  exact.playlists[""] = media::write(multivariant);
  exact.renditions = renditions_of(multivariant);
  return exact;
}

Result<Asset> ClipEdges::finish(const media::Job& job, std::int64_t begin_us) {
  auto exact = exact_of(job, begin_us);
  if (!exact) return std::unexpected(exact.error());
  return catalog_.finish_clip(job, *exact);
}

Result<Asset> ClipEdges::give_up(const media::Job& job, const std::string& reason) {
  auto given_up = catalog_.give_up_clip(job, reason);
  if (!given_up) return std::unexpected(given_up.error());
  store_.remove_released(job.tenant, given_up->released);
  return std::move(given_up->asset);
}

Result<Asset> ClipEdges::settle(const media::Job& job, const media::JobResult& result) {
  // First, for nobody looks for it after the end is written. A try that comes again writes it anew.
  remove_source(job);
  Result<Asset> asset =
      result.ready ? finish(job, result.edge_begin_us) : give_up(job, result.reason);
  // What was made does not fit together: another try would make the same again.
  if (!asset && is_our_fault(asset.error())) {
    log::error("a clip cannot be made exact",
               {log::kv("tenant", job.tenant), log::kv("asset", job.asset),
                log::kv("why", asset.error().message)});
    asset = give_up(job, "its edges could not be put together");
  }
  return asset;
}

}  // namespace relay::origin
