#include "edge/media_sense.hpp"

#include <optional>

#include "common/http/gzip.hpp"
#include "common/http/url.hpp"
#include "common/media/playlist_outline.hpp"
#include "common/store/mapped_read.hpp"
#include "edge/cache_key.hpp"
#include "edge/hls/directives.hpp"

namespace relay::edge {
namespace {

std::string bytes_of(const Lesson& lesson) {
  std::string bytes;
  for (const cache::ChunkPtr& chunk : lesson.chunks) bytes += chunk->view();
  while (lesson.object && bytes.size() < lesson.object->body_bytes()) {
    cache::Piece piece = lesson.object->piece(bytes.size());
    std::size_t at = bytes.size();
    bytes.resize(at + piece.size);
    if (!store::copy_mapped(bytes.data() + at, piece.address, piece.size)) return {};
  }
  return bytes;
}

std::optional<std::string> text_of(const Lesson& lesson) {
  std::string coding = http::joined(lesson.stored->fields(), "Content-Encoding");
  if (coding.empty() || http::same_name(coding, "identity")) return bytes_of(lesson);
  bool is_gzip = http::same_name(coding, "gzip") || http::same_name(coding, "x-gzip");
  if (!is_gzip) return std::nullopt;
  return http::gunzip(bytes_of(lesson), limits::playlist_bytes_max);
}

}  // namespace

PrefetchCounts::PrefetchCounts(Metrics& metrics)
    : started(metrics.counter("relay_edge_prefetches_total",
                              "segments fetched ahead of a reader: begun, wholly here, then asked "
                              "for by a client, or failed or over before anybody asked",
                              "state=\"started\"")),
      completed(metrics.counter("relay_edge_prefetches_total", "", "state=\"completed\"")),
      used(metrics.counter("relay_edge_prefetches_total", "", "state=\"used\"")),
      wasted(metrics.counter("relay_edge_prefetches_total", "", "state=\"wasted\"")) {
}

MediaSense::MediaSense(cache::Cache& cache, net::Blocking& blocking, bool key_host,
                       Metrics& metrics)
    : cache_(cache),
      blocking_(blocking),
      key_host_(key_host),
      counts_(metrics),
      learnt_(metrics.counter("relay_edge_playlists_learnt_total",
                              "playlists, each version anew, that were read for what they name")) {
}

double MediaSense::value_of(const std::string& primary_key, const StoredResponse& stored) const {
  bool named = stored.media != hls::Kind::playlist && playlists_.is_lasting(primary_key);
  return hls::value_of(named ? hls::Kind::lasting : stored.media);
}

void MediaSense::learn(EdgeWorker& worker, Lesson lesson) {
  if (lesson.stored->media != hls::Kind::playlist || lesson.stored->status != 200) return;
  if (lessons_.fetch_add(1) >= lessons_max) {
    lessons_.fetch_sub(1);
    return;
  }
  lesson.number = playlists_.next_number();
  net::spawn(worker.io, read_beside(std::move(lesson)));
}

net::Task<void> MediaSense::read_beside(Lesson lesson) {
  auto read = [&] { return take_in(lesson); };
  co_await net::run_blocking(blocking_, read);
  lessons_.fetch_sub(1);
}

void MediaSense::recall(Visit& visit, const Found& playlist) {
  if (playlist.stored->status != 200 || visit.request.method != "GET") return;
  if (playlists_.knows(hls::without_directives(visit.primary_key))) return;
  if (recalling_.exchange(true)) return;
  Lesson lesson{.key = visit.primary_key,
                .target = visit.target,
                .host = std::string(http::find(visit.request.fields, "Host").value_or("")),
                .stored = playlist.stored,
                .object = playlist.object,
                .number = playlists_.next_number()};
  net::spawn(visit.worker.io, recall_beside(std::move(lesson)));
}

net::Task<void> MediaSense::recall_beside(Lesson lesson) {
  auto read = [&] { return take_in(lesson); };
  co_await net::run_blocking(blocking_, read);
  recalling_.store(false);
}

/// On the pool. What is no media playlist is remembered as one that names nothing.
bool MediaSense::take_in(const Lesson& lesson) {
  auto learnt =
      playlists_.learn(hls::without_directives(lesson.key), lesson.number, timeline_of(lesson));
  learnt_.add();
  counts_.wasted.add(learnt.unread);
  if (!learnt.left.empty()) cache_.revalue(learnt.left, 0);
  if (!learnt.returned.empty()) cache_.revalue(learnt.returned, hls::value_of(hls::Kind::segment));
  if (!learnt.lasting.empty()) cache_.revalue(learnt.lasting, hls::value_of(hls::Kind::lasting));
  return !learnt.left.empty();
}

hls::Timeline MediaSense::timeline_of(const Lesson& lesson) const {
  hls::Timeline timeline;
  auto text = text_of(lesson);
  if (!text) return timeline;
  auto outline = media::read_playlist_outline(*text);
  if (!outline) return timeline;
  // A reference to another host, or a broken one, is not asked for: it becomes a gap.
  auto target_of = [&](std::string_view reference) {
    auto target = http::resolve_on_host(reference, lesson.target, lesson.host);
    auto keyed = target && !reference.empty() ? key_target(*target, lesson.host, key_host_)
                                              : bad_input("elsewhere");
    return keyed ? keyed->target : std::string();
  };
  timeline.key_front = lesson.key.substr(0, lesson.key.size() - lesson.target.size());
  timeline.first = outline->media_sequence;
  timeline.ended = outline->ended;
  timeline.only_grows = outline->only_grows;
  for (const auto& each : outline->segments) timeline.segments.push_back(target_of(each));
  for (const auto& each : outline->lasting) {
    if (std::string target = target_of(each); !target.empty()) timeline.lasting.push_back(target);
  }
  return timeline;
}

}  // namespace relay::edge
