#include "transcoder/edges.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "common/base/log.hpp"
#include "common/media/playlist.hpp"
#include "transcoder/boxes.hpp"
#include "transcoder/edge_cut.hpp"
#include "transcoder/edge_encoder.hpp"
#include "transcoder/edge_piece.hpp"
#include "transcoder/init.hpp"
#include "transcoder/nal.hpp"

namespace relay::transcoder {
namespace {

constexpr unsigned threads_max = 8;
constexpr std::int64_t us_ns = 1000;

/// What one piece comes to, on the clock of all renditions.
struct Edge {
  std::int64_t number = 0;
  EdgeSpan span;
  std::int64_t late_us = 0;  // so long behind the segment's begin
  bool whole = false;        // nothing is cut off
};

Object object_of(std::string path, std::string body) {
  Digest128 digest = digest128(body);
  return {std::move(path), std::move(body), digest};
}

Edge decide(const EdgeSegment& lead, const media::EdgePiece& piece) {
  EdgeFrames of = lead.frames();
  std::int64_t begin = nanoseconds_of(of.frames.front().pts, of.timescale);
  std::int64_t end = nanoseconds_of(of.frames.back().end(), of.timescale);
  EdgeSpan wish{begin + piece.from_us * us_ns,
                piece.to_us ? std::min(begin + *piece.to_us * us_ns, end) : end};
  EdgeSpan span = exact_span(of, wish);
  return {piece.number, opened(span, span.from_ns > begin, span.to_ns < end),
          (span.from_ns - begin) / us_ns, span.from_ns == begin && span.to_ns == end};
}

class EdgeWork {
 public:
  EdgeWork(const Settings& settings, const media::Job& job, int source_fd, Publisher& publisher)
      : settings_(settings),
        job_(job),
        source_fd_(source_fd),
        publisher_(publisher),
        stop_(std::chrono::steady_clock::now() + settings.source.wall_clock_max) {}

  Result<void> run() {
    const auto& renditions = job_.edges->renditions;
    if (renditions.empty()) return bad_input("the clip has no renditions");
    if (auto decided = decide_all(renditions.front()); !decided) return decided;
    for (const media::EdgeRendition& rendition : renditions) {
      auto told = tell();
      bool is_done = std::ranges::any_of(
          job_.published, [&](const auto& each) { return each.name == rendition.name; });
      if (told && !is_done) told = make(rendition);
      if (!told) return told;
      ++done_;
    }
    return publisher_.finish();
  }

  /// From the first segment's begin, once run() has decided.
  std::int64_t begin_us() const {
    auto first = std::ranges::find(edges_, media::edge_at_beginning, &Edge::number);
    return first == edges_.end() ? 0 : first->late_us;
  }

 private:
  Result<void> decide_all(const media::EdgeRendition& lead) {
    for (const media::EdgePiece& piece : lead.pieces) {
      auto segment = EdgeSegment::read(source_fd_, piece, lead.picture, settings_.source, stop_);
      if (!segment) return std::unexpected(segment.error());
      edges_.push_back(decide(*segment, piece));
    }
    return {};
  }

  /// How far it is; said again and again while a rendition is made, as a sign of life.
  Result<void> tell() {
    double of = static_cast<double>(job_.edges->renditions.size());
    return publisher_.progress({static_cast<double>(done_) / of, "edges"});
  }

  Result<void> make(const media::EdgeRendition& rendition) {
    sets_.reset();
    media::MediaPlaylist playlist{
        .target_duration_s = 1, .type = media::PlaylistType::vod, .ended = true};
    for (const media::EdgePiece& piece : rendition.pieces) {
      auto edge = std::ranges::find(edges_, piece.number, &Edge::number);
      if (edge == edges_.end() || edge->whole) continue;
      if (auto made = make(rendition, piece, *edge, playlist); !made) return made;
    }
    if (playlist.segments.empty()) return {};
    return publisher_.put(object_of(rendition.name + "/index.m3u8", media::write(playlist)));
  }

  Result<void> make(const media::EdgeRendition& rendition, const media::EdgePiece& piece,
                    const Edge& edge, media::MediaPlaylist& playlist) {
    auto source = EdgeSegment::read(source_fd_, piece, rendition.picture, settings_.source, stop_);
    if (!source) return std::unexpected(source.error());
    auto made = rendition.picture ? pictures(*source, rendition, edge) : sound(*source, edge);
    if (!made) return std::unexpected(made.error());
    made->track.name = rendition.name;
    made->segment.number = piece.number;
    if (auto sent = put_init(*source, *made, playlist); !sent) return sent;
    if (auto sent = put_segment(*made); !sent) return sent;
    media::MediaSegment listed{std::to_string(piece.number) + ".m4s", made->segment.duration,
                               made->track.timescale};
    if (piece.date_us) listed.date_us = *piece.date_us + edge.late_us;
    // 8216bis 4.4.3.1: no segment, rounded, is longer.
    playlist.target_duration_s =
        std::max<int>(playlist.target_duration_s,
                      static_cast<int>((listed.microseconds() + 500'000) / 1'000'000));
    playlist.segments.push_back(std::move(listed));
    return {};
  }

  Result<EdgePictures> pictures(const EdgeSegment& source, const media::EdgeRendition& rendition,
                                const Edge& edge) {
    unsigned threads = std::clamp(std::thread::hardware_concurrency(), 1u, threads_max);
    bool live = job_.edges->live;
    EdgeTuning tuning{live ? settings_.live.preset : settings_.encoding.preset,
                      live ? settings_.live.crf : settings_.encoding.crf, rendition.bit_s_max,
                      static_cast<int>(threads)};
    return encode_edge(source, cut_pictures(source.frames(), edge.span), settings_.source, tuning,
                       [this] { return tell(); });
  }

  static Result<EdgePictures> sound(const EdgeSegment& source, const Edge& edge) {
    EdgeFrames frames = source.frames();
    EdgeCut cut = cut_sound(frames, edge.span);
    EdgePictures made{{.codec = Codec::aac, .timescale = frames.timescale}, {}};
    made.segment.start = cut.start;
    made.segment.duration = cut.stop - cut.start;
    for (std::size_t i = cut.first; i < cut.end; ++i) {
      const AVPacket& packet = *source.packets()[i];
      made.segment.samples.push_back({packet.pts,
                                      packet.pts,
                                      frames.frames[i].duration,
                                      true,
                                      {packet.data, packet.data + packet.size}});
    }
    return made;
  }

  /// Where the pictures need no parameter sets but the source's, its init does for them too.
  Result<void> put_init(const EdgeSegment& source, const EdgePictures& made,
                        media::MediaPlaylist& playlist) {
    const AVCodecParameters& head = *source.stream().codecpar;
    BytesView theirs(head.extradata, static_cast<std::size_t>(head.extradata_size));
    if (!made.track.video() || std::ranges::equal(made.track.extradata, theirs)) return {};
    if (sets_ && *sets_ != made.track.extradata)
      return bad_input("the source's pictures are coded differently at the clip's two ends");
    if (sets_) return {};
    sets_ = made.track.extradata;
    auto init = build_init(made.track);
    if (!init) return std::unexpected(init.error());
    playlist.map_uri = "init.mp4";
    return publisher_.put(object_of(made.track.name + "/init.mp4", std::move(*init)));
  }

  Result<void> put_segment(EdgePictures& made) {
    auto built = build_segment(made.track, made.segment);
    if (!built) return std::unexpected(built.error());
    std::string path = made.track.name + "/" + std::to_string(made.segment.number) + ".m4s";
    return publisher_.put({.path = std::move(path),
                           .body = std::move(built->bytes),
                           .digest = built->digest,
                           .on_conflict = OnConflict::keep_earlier,
                           .keys = std::move(built->keys)});
  }

  const Settings& settings_;
  const media::Job& job_;
  int source_fd_;
  Publisher& publisher_;
  StopSignal stop_;
  std::vector<Edge> edges_;
  std::size_t done_ = 0;       // renditions
  std::optional<Bytes> sets_;  // of the rendition's own init, once it is sent
};

}  // namespace

Result<media::JobResult> run_edges(const Settings& settings, const media::Job& job, int source_fd,
                                   Publisher& publisher) {
  EdgeWork work(settings, job, source_fd, publisher);
  auto done = work.run();
  media::JobResult result;
  result.ready = done.has_value();
  result.edge_begin_us = work.begin_us();
  if (done) return result;
  if (done.error().kind == ErrorKind::conflict) {
    log::warn("edges do not fit what is published", {log::kv("reason", done.error().message)});
    result.reason = "an earlier try made the clip's ends with other settings; make the clip again";
    return result;
  }
  if (done.error().source != ErrorSource::client || done.error().kind != ErrorKind::invalid)
    return std::unexpected(done.error());
  result.reason = done.error().message;
  return result;
}

}  // namespace relay::transcoder
