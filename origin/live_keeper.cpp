#include "origin/live_keeper.hpp"

#include "common/base/log.hpp"
#include "common/media/media_path.hpp"
#include "origin/announce.hpp"
#include "origin/catalog.hpp"
#include "origin/clip_version.hpp"
#include "origin/segment_store.hpp"

namespace relay::origin {
namespace {

/// The multivariant playlist of a recording: what a channel declares of its rates it declares
/// before the first picture, and here they are measured.
Result<media::MultivariantPlaylist> measured(const Catalog& catalog, const media::Job& job,
                                             const std::map<std::string, std::string>& playlists) {
  auto declared = catalog.playlist(job.tenant, job.asset, job.version, "");
  if (!declared) return std::unexpected(declared.error());
  auto of = media::read_multivariant_playlist(*declared ? (*declared)->text : "");
  if (!of) return of;
  clip::MediaPlaylists of_renditions;
  for (const auto& [rendition, text] : playlists) {
    auto playlist = media::read_media_playlist(text);
    if (!playlist) return std::unexpected(playlist.error());
    of_renditions.emplace(rendition, std::move(*playlist));
  }
  return clip::multivariant_playlist(*of, of_renditions, job.asset, job.version,
                                     measured_in(catalog, job.tenant));
}

}  // namespace

std::filesystem::path LiveKeeper::media_path(const media::Job& job, std::string_view object) const {
  return store_.media_path(job.tenant, job.asset, job.version, object);
}

Result<void> LiveKeeper::save(const live::ChannelRecord& record) {
  return catalog_.set_channel(record);
}

Result<void> LiveKeeper::keep(const media::Job& job, const std::string& rendition,
                              const live::Segment& segment, const Digest128& digest,
                              const std::vector<media::KeyPicture>& keys) {
  return catalog_.add_segment(job, rendition, segment, {segment.bytes(), digest, wall_now(), keys});
}

void LiveKeeper::forget(const media::Job& job, const std::string& rendition,
                        const std::vector<std::int64_t>& segments) {
  Result<void> removed;
  auto free = catalog_.remove_segments(job, rendition, segments);
  if (!free) removed = std::unexpected(free.error());
  for (std::int64_t number : free ? *free : std::vector<std::int64_t>()) {
    if (removed)
      removed = store::remove_file(media_path(job, media::segment_object(rendition, number)));
  }
  if (!removed)
    log::warn("segments stay behind", {log::kv("tenant", job.tenant), log::kv("asset", job.asset),
                                       log::kv("why", removed.error().message)});
}

Result<std::map<std::string, std::vector<live::Segment>>> LiveKeeper::kept(
    const media::Job& job) const {
  return catalog_.segments(job);
}

Result<void> LiveKeeper::end(const media::Job& job,
                             const std::map<std::string, std::string>& playlists,
                             std::int64_t duration_ms) {
  auto all = playlists;
  std::vector<Rendition> renditions;
  if (!all.empty()) {
    auto multivariant = measured(catalog_, job, playlists);
    if (!multivariant)
      log::warn("a recording's rates stay as they were declared",
                {log::kv("tenant", job.tenant), log::kv("asset", job.asset),
                 log::kv("why", multivariant.error().message)});
    if (multivariant) all[""] = media::write(*multivariant);
    if (multivariant) renditions = renditions_of(*multivariant);
  }
  auto ended = catalog_.end_channel(job, all, duration_ms, std::move(renditions));
  if (!ended) return std::unexpected(ended.error());
  log::info("channel ended", {log::kv("tenant", job.tenant), log::kv("asset", job.asset),
                              log::kv("state", std::string(name(ended->state)))});
  announcer_.purge(purge_of_url(media::multivariant_path(job.tenant, job.asset)));
  return {};
}

void LiveKeeper::tell(const media::Job& job, const std::string& state) {
  log::info("channel changed",
            {log::kv("tenant", job.tenant), log::kv("asset", job.asset), log::kv("state", state)});
  catalog_.note_channel(job, state);
}

}  // namespace relay::origin
