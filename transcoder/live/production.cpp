#include "transcoder/live/production.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "common/media/bit_rate.hpp"
#include "transcoder/codecs.hpp"
#include "transcoder/init.hpp"

namespace relay::transcoder::live {

namespace {

Object object_of(std::string path, std::string body) {
  Digest128 digest = digest128(body);
  return {std::move(path), std::move(body), digest, OnConflict::refuse};
}

/// Two bits a pixel are more than any thumbnail takes.
media::TrickVariant images_of(const media::LiveSetup& setup, const std::string& version) {
  constexpr std::int64_t pixel_bits = 2;
  std::int64_t tile_bits = pixel_bits * setup.tile_width * setup.tile_height;
  return {.uri = fmt::format("{}/{}/index.m3u8", version, media::thumbnails_name),
          .bandwidth = tile_bits * 1'000'000 / setup.microseconds_of(setup.group_frames),
          .codecs = "jpeg",
          .width = setup.tile_width,
          .height = setup.tile_height};
}

}  // namespace

std::int64_t segment_peak(const TrackSpec& track, double segment_s) {
  double buffer_s = track.video() ? 1 : 0;
  double peak = static_cast<double>(track.bit_rate_max) * (segment_s + buffer_s) / segment_s;
  return static_cast<std::int64_t>(std::ceil(peak));
}

Result<std::vector<MeasuredTrack>> announce(const media::LiveSetup& setup,
                                            const std::vector<TrackSpec>& tracks,
                                            CaptionChannels captions, const std::string& version,
                                            Publisher& publisher) {
  if (auto sent = publisher.live_setup(setup); !sent) return std::unexpected(sent.error());
  double segment_s = static_cast<double>(setup.microseconds_of(setup.segment_frames)) / 1e6;
  double group_s = static_cast<double>(setup.microseconds_of(setup.group_frames)) / 1e6;
  std::vector<MeasuredTrack> measured;
  for (std::size_t i = 0; i < tracks.size(); ++i) {
    auto init = build_init(tracks[i]);
    if (!init) return std::unexpected(init.error());
    auto codecs = codecs_of(tracks[i]);
    if (!codecs) return std::unexpected(codecs.error());
    auto sent = publisher.put(object_of(tracks[i].name + "/init.mp4", std::move(*init)));
    if (!sent) return std::unexpected(sent.error());
    MeasuredTrack track{.track = tracks[i],
                        .codecs = *codecs,
                        .rate = media::BitRate(segment_s),
                        .key_rate = media::BitRate(segment_s)};
    // What was asked for is what is expected.
    track.rate.add(static_cast<std::uint64_t>(static_cast<double>(setup.renditions[i].kbit_s) *
                                              1000 / 8 * segment_s),
                   segment_s);
    // A key picture is at most what the encoder's buffer of a second holds, one a group.
    if (tracks[i].video())
      track.key_rate.add(static_cast<std::uint64_t>(tracks[i].bit_rate_max / 8), group_s);
    track.track.bit_rate_max = segment_peak(tracks[i], segment_s);
    measured.push_back(std::move(track));
  }
  if (auto sent = announce_variants(setup, measured, captions, version, publisher); !sent)
    return std::unexpected(sent.error());
  return measured;
}

Result<void> announce_variants(const media::LiveSetup& setup,
                               const std::vector<MeasuredTrack>& tracks, CaptionChannels channels,
                               const std::string& version, Publisher& publisher) {
  media::MultivariantPlaylist playlist = variants_of(tracks, channels, version + "/");
  for (media::TrickVariant& each : playlist.i_frames) each.average_bandwidth = 0;  // unknown
  if (setup.tile_width > 0) playlist.images.push_back(images_of(setup, version));
  return publisher.put(object_of("index.m3u8", media::write(playlist)));
}

}  // namespace relay::transcoder::live
