#include "transcoder/variants.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

namespace relay::transcoder {
namespace {

constexpr std::int64_t first_variant_bit_s = 2'000'000;
constexpr const char* audio_group = "audio";
constexpr const char* captions_group = "captions";

// A copied rendition asks nothing of an encoder: while it grows, expect peaks of half as much
// again as those seen.
constexpr double unknown_peak_margin = 1.5;

std::string uri_of(const MeasuredTrack& rendition, const std::string& folder) {
  return folder + rendition.track.name + "/index.m3u8";
}

// The language is what tells renditions apart in a menu; names are unique in a group.
media::AudioRendition audio_rendition(const MeasuredTrack& rendition, const std::string& folder,
                                      const std::vector<media::AudioRendition>& others) {
  const TrackSpec& track = rendition.track;
  bool known = !track.language.empty() && track.language != "und";
  std::string name = known ? track.language : "Main";
  bool taken = std::ranges::count(others, name, &media::AudioRendition::name) > 0;
  return {.group_id = audio_group,
          .name = taken ? track.name : name,
          .language = known ? track.language : "und",
          .uri = uri_of(rendition, folder),
          .channels = track.channels,
          .is_default = others.empty()};
}

media::Variant variant_of(const MeasuredTrack& rendition, const std::string& folder) {
  const TrackSpec& track = rendition.track;
  return {.uri = uri_of(rendition, folder),
          .bandwidth = stated_peak(rendition),
          .average_bandwidth = stated_average(rendition),
          .codecs = rendition.codecs,
          .width = track.video() ? track.width : 0,
          .height = track.video() ? track.height : 0,
          .frame_rate = track.video() ? track.frame_rate.value() : 0,
          .audio_group = ""};
}

/// The first one is played unless a viewer chooses another, whose rates count as well.
void add_sound(media::Variant sound, std::optional<media::Variant>& into) {
  sound.audio_group = audio_group;
  if (!into) into = sound;
  into->bandwidth = std::max(into->bandwidth, sound.bandwidth);
  into->average_bandwidth = std::max(into->average_bandwidth, sound.average_bandwidth);
}

media::TrickVariant i_frames_of(const MeasuredTrack& rendition, const std::string& folder) {
  const TrackSpec& track = rendition.track;
  return {.uri = folder + track.name + "/iframes.m3u8",
          .bandwidth = stated_key_peak(rendition),
          .average_bandwidth = rendition.key_rate.average(),
          .codecs = rendition.codecs,
          .width = track.width,
          .height = track.height};
}

/// "CC1" for the first channel, which is 0.
std::string instream_id(std::size_t channel) {
  return "CC" + std::to_string(channel + 1);
}

std::vector<media::ClosedCaptions> captions_on(CaptionChannels channels) {
  std::vector<media::ClosedCaptions> captions;
  for (std::size_t i = 0; i < channels.size(); ++i) {
    std::string id = instream_id(i);
    if (channels[i]) captions.push_back({captions_group, id, "und", id});
  }
  return captions;
}

void order(std::vector<media::Variant>& variants) {
  auto distance = [](const media::Variant& variant) {
    return std::llabs(variant.average_bandwidth - first_variant_bit_s);
  };
  std::ranges::sort(variants, {}, [](const media::Variant& variant) {
    return std::pair(variant.bandwidth, std::string_view(variant.uri));
  });
  auto first = std::ranges::min_element(variants, {}, distance);
  if (first != variants.end()) std::rotate(variants.begin(), first, first + 1);
}

std::int64_t stated(const MeasuredTrack& rendition, std::int64_t measured) {
  if (rendition.complete) return measured;
  if (rendition.track.bit_rate_max > 0) return std::max(measured, rendition.track.bit_rate_max);
  return static_cast<std::int64_t>(static_cast<double>(measured) * unknown_peak_margin);
}

}  // namespace

std::int64_t stated_peak(const MeasuredTrack& rendition) {
  return stated(rendition, rendition.rate.peak());
}

// A picture fits into the encoder's buffer of one second, and key pictures are a second apart.
std::int64_t stated_key_peak(const MeasuredTrack& rendition) {
  return stated(rendition, rendition.key_rate.peak());
}

std::int64_t stated_average(const MeasuredTrack& rendition) {
  return rendition.rate.average();
}

CaptionChannels stated_captions(std::string_view multivariant) {
  CaptionChannels channels;
  auto playlist = media::read_multivariant_playlist(multivariant);
  if (!playlist) return channels;
  for (const media::ClosedCaptions& captions : playlist->captions)
    for (std::size_t i = 0; i < channels.size(); ++i)
      if (captions.instream_id == instream_id(i)) channels.set(i);
  return channels;
}

media::MultivariantPlaylist variants_of(const std::vector<MeasuredTrack>& renditions,
                                        CaptionChannels captions, const std::string& folder) {
  media::MultivariantPlaylist playlist;
  playlist.captions = captions_on(captions);
  bool has_video = std::ranges::any_of(renditions, [](auto& r) { return r.track.video(); });
  for (const MeasuredTrack& rendition : renditions) {
    if (rendition.track.video() || !has_video) {
      playlist.variants.push_back(variant_of(rendition, folder));
      if (rendition.key_rate.measured())
        playlist.i_frames.push_back(i_frames_of(rendition, folder));
      continue;
    }
    playlist.audios.push_back(audio_rendition(rendition, folder, playlist.audios));
    add_sound(variant_of(rendition, folder), playlist.sound_only);
  }
  for (media::Variant& variant : playlist.variants) {
    if (!playlist.sound_only) break;
    variant.bandwidth += playlist.sound_only->bandwidth;
    variant.average_bandwidth += playlist.sound_only->average_bandwidth;
    variant.codecs += "," + playlist.sound_only->codecs;
    variant.audio_group = audio_group;
  }
  for (media::Variant& variant : playlist.variants)
    if (!playlist.captions.empty() && variant.width > 0) variant.captions_group = captions_group;
  order(playlist.variants);
  std::ranges::sort(playlist.i_frames, {}, &media::TrickVariant::bandwidth);
  return playlist;
}

}  // namespace relay::transcoder
