#include "transcoder/live/production.hpp"

#include <cmath>
#include <utility>

#include "common/media/bit_rate.hpp"
#include "transcoder/codecs.hpp"
#include "transcoder/init.hpp"
#include "transcoder/variants.hpp"

namespace relay::transcoder::live {

namespace {

Object object_of(std::string path, std::string body) {
  Digest128 digest = digest128(body);
  return {std::move(path), std::move(body), digest, OnConflict::refuse};
}

}  // namespace

std::int64_t segment_peak(const TrackSpec& track, double segment_s) {
  double buffer_s = track.video() ? 1 : 0;
  double peak = static_cast<double>(track.bit_rate_max) * (segment_s + buffer_s) / segment_s;
  return static_cast<std::int64_t>(std::ceil(peak));
}

Result<void> announce(const media::LiveSetup& setup, const std::vector<TrackSpec>& tracks,
                      const std::string& version, Publisher& publisher) {
  if (auto sent = publisher.live_setup(setup); !sent) return sent;
  double segment_s = static_cast<double>(setup.microseconds_of(setup.segment_frames)) / 1e6;
  std::vector<MeasuredTrack> measured;
  for (std::size_t i = 0; i < tracks.size(); ++i) {
    auto init = build_init(tracks[i]);
    if (!init) return std::unexpected(init.error());
    auto codecs = codecs_of(tracks[i]);
    if (!codecs) return std::unexpected(codecs.error());
    auto sent = publisher.put(object_of(tracks[i].name + "/init.mp4", std::move(*init)));
    if (!sent) return sent;
    MeasuredTrack track{tracks[i], *codecs, media::BitRate(segment_s), false};
    // What was asked for is what is expected.
    track.rate.add(static_cast<std::uint64_t>(static_cast<double>(setup.renditions[i].kbit_s) *
                                              1000 / 8 * segment_s),
                   segment_s);
    track.track.bit_rate_max = segment_peak(tracks[i], segment_s);
    measured.push_back(std::move(track));
  }
  return publisher.put(
      object_of("index.m3u8", media::write(variants_of(measured, {}, version + "/"))));
}

}  // namespace relay::transcoder::live
