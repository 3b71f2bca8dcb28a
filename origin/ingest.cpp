#include "origin/ingest.hpp"

#include <fmt/format.h>

#include <utility>

#include "common/base/clock.hpp"
#include "common/base/hash.hpp"
#include "common/base/log.hpp"
#include "common/http/problem.hpp"
#include "common/http/repr_digest.hpp"
#include "common/media/media_path.hpp"
#include "common/net/whole_body.hpp"
#include "origin/announce.hpp"
#include "origin/catalog.hpp"
#include "origin/clip_edges.hpp"
#include "origin/published_playlist.hpp"
#include "origin/segment_store.hpp"

namespace relay::origin {
namespace {

constexpr std::size_t message_bytes_max = 64 * 1024;         // progress and result
constexpr std::size_t playlist_bytes_max = 8 * 1024 * 1024;  // some days of segments

/// What the part of a media request's path behind "/media/" means.
struct IngestPath {
  enum class Kind { multivariant, playlist, object } kind = Kind::object;
  std::string name;       // "v720/3.m4s"; of a playlist: the rendition
  std::string rendition;  // of an object; empty for photos
};

Result<IngestPath> read_ingest_path(const media::Job& job, std::string_view path) {
  if (path == "index.m3u8") return IngestPath{IngestPath::Kind::multivariant, "", ""};
  // Spelled as viewers will ask for it, so that nothing is stored that cannot be served.
  std::string url =
      job.kind == media::JobKind::photo
          ? fmt::format("/{}/{}/{}", job.tenant, job.asset, path)
          : media::version_prefix(job.tenant, job.asset, job.version) + std::string(path);
  auto parsed = media::parse_media_path(url);
  bool photo = job.kind == media::JobKind::photo;
  if (parsed && photo && parsed->kind == media::MediaKind::photo) {
    return IngestPath{IngestPath::Kind::object, std::string(path), ""};
  }
  if (parsed && !photo) {
    std::string rendition(parsed->rendition);
    if (parsed->kind == media::MediaKind::media_playlist) {
      return IngestPath{IngestPath::Kind::playlist, rendition, rendition};
    }
    if (parsed->kind == media::MediaKind::init || parsed->kind == media::MediaKind::segment ||
        parsed->kind == media::MediaKind::thumbnails) {
      return IngestPath{IngestPath::Kind::object, std::string(path), rendition};
    }
  }
  return bad_input("'" + std::string(path) +
                   "' is not the path of an object that can be published");
}

Error corrupt_body() {
  return Error{ErrorKind::invalid, ErrorSource::client, true,
               "the body does not match its Repr-Digest"};
}

}  // namespace

struct Ingest::Impl {
  Catalog& catalog;
  SegmentStore& store;
  Announcer& announcer;
  net::Blocking& blocking;
  IngestOptions options;
  ClipEdges edges;
  Counter& objects;
  Counter& object_bytes;
  Counter& playlists;
  Counter& refused;

  Result<void> store_object(const media::Job& job, const std::string& path, const std::string& body,
                            ObjectRecord record);
  Result<void> store_playlist(const media::Job& job, const std::string& rendition,
                              std::string text);
  Result<void> store_multivariant(const media::Job& job, const std::string& text);
  /// What is known of each segment that a rendition's playlist names.
  Result<void> add_segments(const media::Job& job, media::PublishedRendition& rendition) const;
  Result<void> settle_edges(const media::Job& job, const media::JobResult& result);
  /// Why a result that says "ready" can't be believed; nullopt: it can.
  Result<std::optional<std::string>> why_incomplete(const media::Job& job,
                                                    const media::JobResult& result) const;
};

Result<void> Ingest::Impl::store_object(const media::Job& job, const std::string& path,
                                        const std::string& body, ObjectRecord record) {
  auto old = catalog.object(job.tenant, job.asset, job.version, path);
  if (!old) return std::unexpected(old.error());
  if (*old && (*old)->digest == record.digest && (*old)->bytes == record.bytes) return {};
  if (*old) {
    return fail(ErrorKind::conflict, ErrorSource::client,
                "'" + path + "' is stored with other bytes already");
  }
  auto put = store.put_media(job.tenant, job.asset, job.version, path, body);
  if (!put) return put;
  auto added = catalog.add_object(job, path, record);
  // The job was dropped, and whoever did that may have removed its files before this one was there.
  if (!added && added.error().kind == ErrorKind::not_found)
    (void)store::remove_file(store.media_path(job.tenant, job.asset, job.version, path));
  if (!added) return std::unexpected(added.error());
  objects.add();
  object_bytes.add(body.size());
  return {};
}

Result<void> Ingest::Impl::store_playlist(const media::Job& job, const std::string& rendition,
                                          std::string text) {
  auto previous = catalog.playlist(job.tenant, job.asset, job.version, rendition);
  if (!previous) return std::unexpected(previous.error());
  std::string previous_text = *previous ? (*previous)->text : "";
  if (*previous && previous_text == text) return {};
  IsStored stored = [&](std::string_view name) -> Result<bool> {
    std::string path = rendition + "/" + std::string(name);
    auto object = catalog.object(job.tenant, job.asset, job.version, path);
    if (!object) return std::unexpected(object.error());
    return object->has_value();
  };
  auto playlist = check_media_playlist(text, previous_text, stored);
  if (!playlist) return std::unexpected(playlist.error());
  playlists.add();
  return catalog.set_playlist(job, rendition, {std::move(text), wall_now(), playlist->ended});
}

Result<void> Ingest::Impl::store_multivariant(const media::Job& job, const std::string& text) {
  // Its end writes one, which switches the clip to all that was made, at once.
  if (job.kind == media::JobKind::edges)
    return bad_input("an edges job has no multivariant playlist");
  IsStored stored = [&](std::string_view rendition) -> Result<bool> {
    // A channel's playlists are written as parts come.
    if (job.kind == media::JobKind::live && rendition == media::thumbnails_name) return true;
    if (job.kind == media::JobKind::live) {
      auto init =
          catalog.object(job.tenant, job.asset, job.version, std::string(rendition) + "/init.mp4");
      if (!init) return std::unexpected(init.error());
      return init->has_value();
    }
    auto playlist = catalog.playlist(job.tenant, job.asset, job.version, rendition);
    if (!playlist) return std::unexpected(playlist.error());
    return playlist->has_value();
  };
  auto playlist = publish_multivariant(text, job.version, stored);
  if (!playlist) return std::unexpected(playlist.error());
  PlaylistRecord record{media::write(*playlist), wall_now(), false};
  auto switched = catalog.set_multivariant(job, record, renditions_of(*playlist));
  if (!switched) return std::unexpected(switched.error());
  playlists.add();
  if (!*switched) return {};
  log::info("playable", {log::kv("tenant", job.tenant), log::kv("asset", job.asset),
                         log::kv("version", job.version)});
  announcer.purge(purge_of_url(media::multivariant_path(job.tenant, job.asset)));
  return {};
}

Result<void> Ingest::Impl::add_segments(const media::Job& job,
                                        media::PublishedRendition& rendition) const {
  auto playlist = media::read_media_playlist(rendition.playlist);
  if (!playlist) return std::unexpected(playlist.error());
  for (const media::MediaSegment& segment : playlist->segments) {
    auto object =
        catalog.object(job.tenant, job.asset, job.version, rendition.name + "/" + segment.uri);
    if (!object) return std::unexpected(object.error());
    rendition.segment_bytes.push_back(*object ? (*object)->bytes : 0);
    rendition.segment_keys.push_back(*object ? media::to_text((*object)->keys) : "");
  }
  return {};
}

Result<void> Ingest::Impl::settle_edges(const media::Job& job, const media::JobResult& result) {
  auto asset = edges.settle(job, result);
  if (!asset) return std::unexpected(asset.error());
  log::info("settled", {log::kv("tenant", job.tenant), log::kv("asset", job.asset),
                        log::kv("version", asset->current_version),
                        log::kv("reason", asset->clip->exact_error)});
  announcer.purge(purge_of_url(media::multivariant_path(job.tenant, job.asset)));
  return {};
}

Result<std::optional<std::string>> Ingest::Impl::why_incomplete(
    const media::Job& job, const media::JobResult& result) const {
  if (job.kind == media::JobKind::photo) {
    if (result.photo_widths.empty()) return "the transcoder made no rendition of this photo";
    for (int width : result.photo_widths) {
      auto jpeg = catalog.object(job.tenant, job.asset, job.version, fmt::format("w{}.jpg", width));
      if (!jpeg) return std::unexpected(jpeg.error());
      if (!*jpeg) return fmt::format("the transcoder named width {} but did not make it", width);
    }
    return std::nullopt;
  }
  auto multivariant = catalog.playlist(job.tenant, job.asset, job.version, "");
  if (!multivariant) return std::unexpected(multivariant.error());
  if (!*multivariant) return "the transcoder made no rendition of this video";
  auto published = catalog.playlists(job.tenant, job.asset, job.version);
  if (!published) return std::unexpected(published.error());
  for (const media::PublishedRendition& rendition : *published) {
    if (rendition.playlist.find("#EXT-X-ENDLIST") == std::string::npos) {
      return "the transcoder stopped before the end of rendition " + rendition.name;
    }
  }
  return std::nullopt;
}

namespace {

/// Everything that one transcoder may ask for, on its own connection.
class JobHandler final : public net::Handler {
 public:
  JobHandler(Ingest::Impl& ingest, media::Job job, jobs::Observer& observer)
      : ingest_(ingest), job_(std::move(job)), observer_(observer) {}

  net::Task<void> handle(net::Exchange& exchange) override {
    auto done = co_await act(exchange);
    if (done) {
      co_await exchange.respond({204, {}, ""});
      co_return;
    }
    ingest_.refused.add();
    log::warn("publication refused",
              {log::kv("tenant", job_.tenant), log::kv("asset", job_.asset),
               log::kv("target", exchange.request().target), log::kv("why", done.error().message)});
    co_await exchange.respond(http::problem_of(done.error()));
  }

 private:
  net::Task<Result<void>> act(net::Exchange& exchange) {
    constexpr std::string_view media_prefix = "/media/";
    std::string_view target = exchange.request().target;
    if (exchange.request().method != "PUT") co_return bad_input("only PUT is of use here");
    if (target.starts_with(media_prefix)) {
      co_return co_await put_media(exchange, std::string(target.substr(media_prefix.size())));
    }
    bool progress = target == "/progress";
    if (!progress && target != "/result") co_return bad_input("there is nothing at this address");
    auto body = co_await net::read_whole_body(exchange, message_bytes_max);
    if (!body) co_return std::unexpected(body.error());
    if (progress) co_return take_progress(*body);
    co_return take_result(*body);
  }

  Result<void> take_progress(const std::string& body) {
    auto progress = media::progress_from_json(body);
    if (!progress) return std::unexpected(progress.error());
    observer_.on_sign_of_life();
    ingest_.catalog.note_progress(job_, *progress);
    return {};
  }

  Result<void> take_result(const std::string& body) {
    auto result = media::result_from_json(body);
    if (!result) return std::unexpected(result.error());
    observer_.on_sign_of_life();
    observer_.on_result(*result);
    return {};
  }

  net::Task<Result<void>> put_media(net::Exchange& exchange, std::string name) {
    auto path = read_ingest_path(job_, name);
    if (!path) co_return std::unexpected(path.error());
    bool object = path->kind == IngestPath::Kind::object;
    std::size_t bytes_max = playlist_bytes_max;
    if (object) bytes_max = static_cast<std::size_t>(ingest_.options.object_bytes_max);
    auto promised = http::read_repr_digest(http::joined(exchange.request().fields, "Repr-Digest"));
    if (!promised) co_return std::unexpected(promised.error());
    if (object && !*promised) co_return bad_input("Repr-Digest with xxh3-128 is missing");
    std::string keys = http::joined(exchange.request().fields, media::key_pictures_field);
    auto body = co_await net::read_whole_body(exchange, bytes_max);
    if (!body) co_return std::unexpected(body.error());
    observer_.on_sign_of_life();
    auto store = [&] { return publish(*path, *promised, keys, *body); };
    auto stored = co_await net::run_blocking(ingest_.blocking, store);
    if (stored && path->kind == IngestPath::Kind::playlist) observer_.on_published();
    co_return stored;
  }

  /// On the blocking pool.
  Result<void> publish(const IngestPath& path, const std::optional<Digest128>& promised,
                       const std::string& keys, std::string& body) {
    Digest128 digest = digest128(body);
    if (promised && *promised != digest) return std::unexpected(corrupt_body());
    switch (path.kind) {
      case IngestPath::Kind::multivariant:
        return ingest_.store_multivariant(job_, body);
      case IngestPath::Kind::playlist:
        return ingest_.store_playlist(job_, path.name, std::move(body));
      case IngestPath::Kind::object:
        break;
    }
    auto pictures = media::key_pictures_from_text(keys, body.size());
    if (!pictures) return std::unexpected(pictures.error());
    return ingest_.store_object(job_, path.name, body,
                                {body.size(), digest, wall_now(), std::move(*pictures)});
  }

  Ingest::Impl& ingest_;
  const media::Job job_;
  jobs::Observer& observer_;
};

}  // namespace

Ingest::Ingest(Catalog& catalog, SegmentStore& store, Announcer& announcer, net::Blocking& blocking,
               Metrics& metrics, IngestOptions options)
    : impl_(new Impl{
          catalog, store, announcer, blocking, options,
          ClipEdges(catalog, store, options.free_space_min),
          metrics.counter("origin_ingest_objects_total", "Segments, inits and photos stored."),
          metrics.counter("origin_ingest_bytes_total", "Bytes of these objects."),
          metrics.counter("origin_ingest_playlists_total", "Playlists accepted."),
          metrics.counter("origin_ingest_refused_total", "Publications refused.")}) {
}

Ingest::~Ingest() = default;

std::unique_ptr<net::Handler> Ingest::for_job(const media::Job& job, jobs::Observer& observer) {
  return std::make_unique<JobHandler>(*impl_, job, observer);
}

Result<void> Ingest::begin(const media::Job& job) {
  auto begun = impl_->catalog.begin(job);
  if (!begun || job.kind != media::JobKind::edges) return begun;
  return impl_->edges.begin(job);
}

Result<void> Ingest::put_back(const media::Job& job, std::string_view stage) {
  auto queued = impl_->catalog.put_back(job);
  if (queued) impl_->catalog.note_stage(job, stage);
  return queued;
}

void Ingest::note_stage(const media::Job& job, std::string_view stage) {
  impl_->catalog.note_stage(job, stage);
}

Result<void> Ingest::add_published(media::Job& job) const {
  auto multivariant = impl_->catalog.playlist(job.tenant, job.asset, job.version, "");
  if (!multivariant) return std::unexpected(multivariant.error());
  auto renditions = impl_->catalog.playlists(job.tenant, job.asset, job.version);
  if (!renditions) return std::unexpected(renditions.error());
  for (media::PublishedRendition& rendition : *renditions) {
    if (auto added = impl_->add_segments(job, rendition); !added) return added;
  }
  if (job.kind == media::JobKind::edges) {
    auto edges = impl_->edges.edges_of(job);
    if (!edges) return std::unexpected(edges.error());
    job.edges = std::move(*edges);
  }
  job.published = std::move(*renditions);
  job.multivariant = *multivariant ? std::move((*multivariant)->text) : "";
  return {};
}

std::string Ingest::source_path(const media::Job& job) const {
  return impl_->store.source_path(job.tenant, job.asset, job.version).string();
}

Result<void> Ingest::settle(const media::Job& job, const media::JobResult& result) {
  if (job.kind == media::JobKind::edges) return impl_->settle_edges(job, result);
  media::JobResult verdict = result;
  if (verdict.ready) {
    auto why = impl_->why_incomplete(job, result);
    if (!why) return std::unexpected(why.error());
    if (*why) verdict = {.ready = false, .reason = **why};
  }
  auto settled = impl_->catalog.settle(job, verdict);
  if (!settled) return std::unexpected(settled.error());
  log::info("settled", {log::kv("tenant", job.tenant), log::kv("asset", job.asset),
                        log::kv("version", job.version),
                        log::kv("state", std::string(name(settled->asset.state))),
                        log::kv("reason", verdict.reason)});
  for (const std::string& version : settled->stale_sources) {
    auto removed = impl_->store.remove_source(job.tenant, job.asset, version);
    if (!removed) log::warn("a source stays behind", {log::kv("why", removed.error().message)});
  }
  if (job.kind == media::JobKind::video) {
    impl_->announcer.purge(purge_of_url(media::multivariant_path(job.tenant, job.asset)));
  }
  return {};
}

}  // namespace relay::origin
