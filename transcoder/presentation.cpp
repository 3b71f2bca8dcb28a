#include "transcoder/presentation.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "common/media/playlist.hpp"
#include "transcoder/boxes.hpp"
#include "transcoder/codecs.hpp"
#include "transcoder/init.hpp"
#include "transcoder/thumbnails.hpp"
#include "transcoder/variants.hpp"

namespace relay::transcoder {
namespace {

constexpr double segment_seconds_max = target_duration_s + 0.5;  // exclusive

/// Of the pictures of a segment: each lasts to the next one, as in the I-frame playlist.
void add_keys(const std::vector<media::KeyPicture>& keys, double segment_s, media::BitRate& into) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    bool is_last = i + 1 == keys.size();
    double begin_s = static_cast<double>(keys[i].microseconds) / 1e6;
    double end_s = is_last ? segment_s : static_cast<double>(keys[i + 1].microseconds) / 1e6;
    into.add(keys[i].bytes, end_s - begin_s);
  }
}

// A rendition as it stands; `playlist` is what was sent last.
struct Growing {
  MeasuredTrack rendition;
  media::MediaPlaylist playlist;
  bool listed() const { return !playlist.segments.empty(); }
};

// The thumbnail track; without a playlist entry there is none.
struct Images {
  media::MediaPlaylist playlist;
  media::BitRate rate{target_duration_s};
};

struct Earlier {
  media::MediaPlaylist playlist;
  std::vector<std::uint64_t> segment_bytes;
  std::vector<std::string> segment_keys;
};

media::MediaPlaylist empty_playlist() {
  media::MediaPlaylist playlist;
  playlist.target_duration_s = target_duration_s;
  playlist.type = media::PlaylistType::event;
  playlist.map_uri = "init.mp4";
  return playlist;
}

std::unexpected<Error> broken(std::string rule) {
  return fail(ErrorKind::internal, ErrorSource::internal, std::move(rule));
}

Object text_object(std::string path, std::string text) {
  Digest128 digest = digest128(text);
  return {std::move(path), std::move(text), digest, OnConflict::refuse};
}

// A playlist that cannot be read was not ours: its rendition begins anew and the origin refuses
// what does not extend it.
std::map<std::string, Earlier> earlier_of(const media::Job& job) {
  std::map<std::string, Earlier> earlier;
  for (const media::PublishedRendition& rendition : job.published)
    if (auto playlist = media::read_media_playlist(rendition.playlist))
      earlier[rendition.name] = {std::move(*playlist), rendition.segment_bytes,
                                 rendition.segment_keys};
  return earlier;
}

}  // namespace

struct Presentation::Impl {
  Publisher& publisher;
  std::string folder;  // of the version, as the multivariant playlist names it
  std::map<std::string, Earlier> earlier;
  std::map<int, Growing> tracks;  // by number, so in the order of opening
  Images images;
  CaptionChannels captions;
  std::string sent_multivariant;

  void go_on(Growing& growing);
  void go_on_with_images();
  Result<void> check(const Growing& growing, const Segment& segment) const;
  Result<void> list(Growing& growing, const Segment& segment);
  bool playable() const;
  Result<void> put_multivariant();
  Result<void> refresh_multivariant(const Growing& growing, std::int64_t peak_before);
};

// Takes up a rendition where an earlier try left it. Where the bytes of its segments are unknown,
// the rest is measured; a rendition without a rest counts with the rate that was asked for.
void Presentation::Impl::go_on(Growing& growing) {
  auto found = earlier.find(growing.rendition.track.name);
  if (found == earlier.end()) return;
  const auto& [playlist, segment_bytes, segment_keys] = found->second;
  growing.playlist = playlist;
  growing.rendition.complete = playlist.ended;
  double asked_bytes_s = static_cast<double>(growing.rendition.track.bit_rate_max) / 8;
  for (std::size_t i = 0; i < playlist.segments.size(); ++i) {
    double seconds = playlist.segments[i].seconds();
    if (i < segment_bytes.size())
      growing.rendition.rate.add(segment_bytes[i], seconds);
    else if (playlist.ended)
      growing.rendition.rate.add(static_cast<std::uint64_t>(asked_bytes_s * seconds), seconds);
    if (i >= std::min(segment_bytes.size(), segment_keys.size())) continue;
    if (auto keys = media::key_pictures_from_text(segment_keys[i], segment_bytes[i]))
      add_keys(*keys, seconds, growing.rendition.key_rate);
  }
}

void Presentation::Impl::go_on_with_images() {
  images.playlist = empty_playlist();
  images.playlist.contents = media::Contents::images;
  images.playlist.independent_segments = false;
  images.playlist.map_uri.clear();
  auto found = earlier.find(std::string(thumbnails_name));
  if (found == earlier.end()) return;
  images.playlist = found->second.playlist;
  const auto& bytes = found->second.segment_bytes;
  for (std::size_t i = 0; i < std::min(bytes.size(), images.playlist.segments.size()); ++i)
    images.rate.add(bytes[i], images.playlist.segments[i].seconds());
}

Result<void> Presentation::Impl::check(const Growing& growing, const Segment& segment) const {
  const TrackSpec& track = growing.rendition.track;
  std::string name = "segment " + std::to_string(segment.number) + " of " + track.name;
  if (growing.playlist.ended) return broken(name + " comes behind the end");
  if (segment.number != static_cast<std::int64_t>(growing.playlist.segments.size()))
    return broken(name + " is out of order");
  double seconds = static_cast<double>(segment.duration) / static_cast<double>(track.timescale);
  if (!(seconds > 0 && seconds < segment_seconds_max))
    return broken(name + " lasts " + std::to_string(seconds) + " s");
  return {};
}

Result<void> Presentation::Impl::list(Growing& growing, const Segment& segment) {
  const TrackSpec& track = growing.rendition.track;
  growing.playlist.segments.push_back(
      {std::to_string(segment.number) + ".m4s", segment.duration, track.timescale});
  growing.playlist.ended = segment.last;
  growing.rendition.complete = segment.last;
  return publisher.put(text_object(track.name + "/index.m3u8", media::write(growing.playlist)));
}

bool Presentation::Impl::playable() const {
  auto missing_audio = [](auto& entry) {
    return !entry.second.rendition.track.video() && !entry.second.listed();
  };
  auto listed = [](auto& entry) { return entry.second.listed(); };
  auto listed_video = [](auto& entry) {
    return entry.second.rendition.track.video() && entry.second.listed();
  };
  auto video = [](auto& entry) { return entry.second.rendition.track.video(); };
  if (std::ranges::none_of(tracks, video)) return std::ranges::any_of(tracks, listed);
  return std::ranges::any_of(tracks, listed_video) && std::ranges::none_of(tracks, missing_audio);
}

Result<void> Presentation::Impl::put_multivariant() {
  std::vector<MeasuredTrack> renditions;
  for (const auto& [number, growing] : tracks)
    if (growing.listed()) renditions.push_back(growing.rendition);
  media::MultivariantPlaylist playlist = variants_of(renditions, captions, folder);
  if (!images.playlist.segments.empty()) {
    const media::Tiles& tiles = *images.playlist.segments.front().tiles;
    playlist.images.push_back({.uri = folder + std::string(thumbnails_name) + "/index.m3u8",
                               .bandwidth = images.rate.peak(),
                               .average_bandwidth = images.rate.average(),
                               .codecs = "jpeg",
                               .width = tiles.width,
                               .height = tiles.height});
  }
  std::string text = media::write(playlist);
  if (text == sent_multivariant) return {};
  sent_multivariant = text;
  return publisher.put(text_object("index.m3u8", std::move(text)));
}

// The multivariant playlist changes with a rendition's first segment, and when a segment showed
// that its stated peak was too low.
Result<void> Presentation::Impl::refresh_multivariant(const Growing& growing,
                                                      std::int64_t peak_before) {
  bool first = growing.playlist.segments.size() == 1;
  bool too_low = stated_peak(growing.rendition) > peak_before && !growing.rendition.complete;
  bool missing = sent_multivariant.empty();
  if (!(first || too_low || missing) || !playable()) return {};
  return put_multivariant();
}

Presentation::Presentation(Publisher& publisher, const media::Job& job)
    : impl_(new Impl{publisher,
                     job.version + "/",
                     earlier_of(job),
                     {},
                     {},
                     stated_captions(job.multivariant),
                     {}}) {
  impl_->go_on_with_images();
}

Presentation::~Presentation() = default;

AlreadyPublished Presentation::published(const std::string& name) {
  auto found = impl_->earlier.find(name);
  if (found == impl_->earlier.end()) return {};
  const media::MediaPlaylist& playlist = found->second.playlist;
  return {static_cast<std::int64_t>(playlist.segments.size()), playlist.ended};
}

Result<void> Presentation::open_track(const TrackSpec& track) {
  auto codecs = codecs_of(track);
  if (!codecs) return std::unexpected(codecs.error());
  auto init = build_init(track);
  if (!init) return std::unexpected(init.error());
  Growing growing{{.track = track,
                   .codecs = *codecs,
                   .rate = media::BitRate(target_duration_s),
                   .key_rate = media::BitRate(target_duration_s)},
                  empty_playlist()};
  impl_->go_on(growing);
  if (!impl_->tracks.emplace(track.track, std::move(growing)).second)
    return broken("track " + std::to_string(track.track) + " is opened twice");
  // Sent again by a later try: the same bytes prove that its encoder still agrees.
  return impl_->publisher.put(text_object(track.name + "/init.mp4", std::move(*init)));
}

Result<void> Presentation::segment(Segment segment) {
  auto found = impl_->tracks.find(segment.track);
  if (found == impl_->tracks.end()) return broken("a segment of a track that is not open");
  Growing& growing = found->second;
  if (auto fits = impl_->check(growing, segment); !fits) return fits;
  auto built = build_segment(growing.rendition.track, segment);
  if (!built) return std::unexpected(built.error());
  std::int64_t peak_before = stated_peak(growing.rendition);
  double seconds = static_cast<double>(segment.duration) /
                   static_cast<double>(growing.rendition.track.timescale);
  growing.rendition.rate.add(built->bytes.size(), seconds);
  add_keys(built->keys, seconds, growing.rendition.key_rate);
  std::string path = growing.rendition.track.name + "/" + std::to_string(segment.number) + ".m4s";
  // An earlier try may have stored this very span in other bytes and ended before it listed it.
  auto stored = impl_->publisher.put({.path = std::move(path),
                                      .body = std::move(built->bytes),
                                      .digest = built->digest,
                                      .on_conflict = OnConflict::keep_earlier,
                                      .keys = std::move(built->keys)});
  if (!stored) return stored;
  if (auto listed = impl_->list(growing, segment); !listed) return listed;
  return impl_->refresh_multivariant(growing, peak_before);
}

Result<void> Presentation::thumbnails(ThumbnailSheet sheet) {
  media::MediaPlaylist& playlist = impl_->images.playlist;
  if (sheet.number != static_cast<std::int64_t>(playlist.segments.size()) || playlist.ended)
    return broken("sheet " + std::to_string(sheet.number) + " of thumbnails is out of order");
  std::string folder = std::string(thumbnails_name) + "/";
  std::string uri = std::to_string(sheet.number) + ".jpg";
  media::MediaSegment listed{uri, sheet.duration, sheet.timescale};
  media::MediaSegment tile{"", sheet.tile_duration, sheet.timescale};
  listed.tiles = {sheet.tile_width, sheet.tile_height, sheet.tiles, 1, tile.microseconds()};
  impl_->images.rate.add(sheet.jpeg.size(), listed.seconds());
  Digest128 digest = digest128(sheet.jpeg);
  auto stored =
      impl_->publisher.put({folder + uri, std::move(sheet.jpeg), digest, OnConflict::keep_earlier});
  if (!stored) return stored;
  playlist.segments.push_back(std::move(listed));
  playlist.ended = sheet.last;
  stored = impl_->publisher.put(text_object(folder + "index.m3u8", media::write(playlist)));
  bool is_late = playlist.segments.size() == 1 && !impl_->sent_multivariant.empty();
  return stored && is_late ? impl_->put_multivariant() : stored;
}

Result<void> Presentation::captions(CaptionChannels channels) {
  bool more = (channels & ~impl_->captions).any();
  impl_->captions |= channels;
  if (!more || impl_->sent_multivariant.empty()) return {};
  return impl_->put_multivariant();
}

Result<void> Presentation::progress(double fraction, const std::string& stage) {
  return impl_->publisher.progress({std::clamp(fraction, 0.0, 1.0), stage});
}

Result<void> Presentation::finish() {
  if (impl_->playable())
    if (auto sent = impl_->put_multivariant(); !sent) return sent;
  return impl_->publisher.finish();
}

}  // namespace relay::transcoder
