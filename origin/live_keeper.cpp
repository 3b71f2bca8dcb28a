#include "origin/live_keeper.hpp"

#include "common/base/log.hpp"
#include "common/media/media_path.hpp"
#include "origin/announce.hpp"
#include "origin/catalog.hpp"
#include "origin/segment_store.hpp"

namespace relay::origin {

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
  auto ended = catalog_.end_channel(job, playlists, duration_ms);
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
