#include "origin/clip/playlists.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "common/media/bit_rate.hpp"
#include "common/media/live.hpp"
#include "common/media/media_path.hpp"

namespace relay::origin::clip {
namespace {

constexpr std::string_view up = "../../../";  // from a rendition of a clip to its tenant

struct Rate {
  media::BitRate whole, keys;  // of the segments; of their key pictures alone
};
using Rates = std::map<std::string, Rate, std::less<>>;

/// Each picture lasts to the next one, as in the I-frame playlist.
void add_keys(const std::vector<media::KeyPicture>& keys, std::int64_t segment_us,
              media::BitRate& into) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    std::int64_t end = i + 1 == keys.size() ? segment_us : keys[i + 1].microseconds;
    into.add(keys[i].bytes, static_cast<double>(end - keys[i].microseconds) / media::us_per_s);
  }
}

Rates measure(const MediaPlaylists& playlists, std::string_view asset, std::string_view version,
              const MeasuredOf& measured) {
  Rates rates;
  for (const auto& [rendition, playlist] : playlists) {
    int target_s = playlist.target_duration_s;
    Rate rate{media::BitRate(target_s), media::BitRate(target_s)};
    for (const media::MediaSegment& segment : playlist.segments) {
      if (segment.gap) continue;
      Measured found = measured(place_of(asset, version, rendition, segment.uri));
      rate.whole.add(found.bytes, segment.seconds());
      add_keys(found.keys, segment.microseconds(), rate.keys);
    }
    rates.emplace(rendition, std::move(rate));
  }
  return rates;
}

std::string playlist_uri(std::string_view version, std::string_view rendition,
                         std::string_view file = "index.m3u8") {
  return fmt::format("{}/{}/{}", version, rendition, file);
}

/// What the sound adds to a picture: of several the dearest.
struct SoundRate {
  std::int64_t peak_bit_s = 0, average_bit_s = 0;
};

/// nullopt: the clip has nothing of it.
std::optional<media::Variant> variant_of_clip(media::Variant variant, const Rates& rates,
                                              std::string_view version, SoundRate sound) {
  auto rate = rates.find(media::rendition_of(variant.uri));
  if (rate == rates.end()) return std::nullopt;
  variant.uri = playlist_uri(version, rate->first);
  if (!rate->second.whole.measured()) return variant;  // all are gaps
  variant.bandwidth = rate->second.whole.peak() + sound.peak_bit_s;
  variant.average_bandwidth = rate->second.whole.average() + sound.average_bit_s;
  return variant;
}

void add_i_frames(const media::MultivariantPlaylist& of_source, const Rates& rates,
                  std::string_view version, media::MultivariantPlaylist& into) {
  for (media::TrickVariant frames : of_source.i_frames) {
    auto rate = rates.find(media::rendition_of(frames.uri));
    if (rate == rates.end() || !rate->second.keys.measured()) continue;
    frames.uri = playlist_uri(version, rate->first, "iframes.m3u8");
    frames.bandwidth = rate->second.keys.peak();
    frames.average_bandwidth = rate->second.keys.average();
    into.i_frames.push_back(std::move(frames));
  }
}

void add_images(const media::MultivariantPlaylist& of_source, const Rates& rates,
                std::string_view version, media::MultivariantPlaylist& into) {
  for (media::TrickVariant images : of_source.images) {
    auto rate = rates.find(media::rendition_of(images.uri));
    if (rate == rates.end() || !rate->second.whole.measured()) continue;
    images.uri = playlist_uri(version, rate->first);
    images.bandwidth = rate->second.whole.peak();
    images.average_bandwidth = rate->second.whole.average();
    into.images.push_back(std::move(images));
  }
}

/// Calls see(place, gap) for all that the playlists name and that is not of `version` itself.
template <class See>
void for_each_of_others(const MediaPlaylists& playlists, std::string_view asset,
                        std::string_view version, See see) {
  auto look_at = [&](std::string_view rendition, std::string_view uri, bool gap) {
    if (uri.empty()) return;
    Place place = place_of(asset, version, rendition, uri);
    if (place.asset != asset || place.version != version) see(std::move(place), gap);
  };
  for (const auto& [rendition, playlist] : playlists) {
    look_at(rendition, playlist.map_uri, false);
    for (const media::MediaSegment& segment : playlist.segments) {
      look_at(rendition, segment.map_uri, false);
      look_at(rendition, segment.uri, segment.gap);
    }
  }
}

void add_hold(const Place& place, std::vector<Holds>& all) {
  auto of_version = [&](const Holds& each) {
    return each.asset == place.asset && each.version == place.version;
  };
  auto holds = std::ranges::find_if(all, of_version);
  if (holds == all.end()) holds = all.insert(all.end(), {place.asset, place.version, {}});
  std::string rendition(media::rendition_of(place.object));
  std::vector<Hold>& held = holds->held;
  // Those of one rendition come one after another.
  if (held.empty() || held.back().rendition != rendition) held.push_back({rendition});
  auto number = media::number_in(place.object);
  if (!number) return;
  Hold& last = held.back();
  if (last.last < last.first)
    last.first = last.last = *number;
  else if (*number == last.last + 1)
    ++last.last;
  else if (*number < last.first || *number > last.last)
    held.push_back({rendition, *number, *number});
}

}  // namespace

Place place_of(std::string_view asset, std::string_view version, std::string_view rendition,
               std::string_view uri) {
  if (!uri.starts_with(up))
    return {std::string(asset), std::string(version), fmt::format("{}/{}", rendition, uri)};
  uri.remove_prefix(up.size());
  std::size_t first = std::min(uri.find('/'), uri.size());
  std::size_t second = std::min(uri.find('/', first + 1), uri.size());
  return {std::string(uri.substr(0, first)),
          std::string(uri.substr(std::min(first + 1, second), second - first - 1)),
          std::string(uri.substr(std::min(second + 1, uri.size())))};
}

media::MediaPlaylist media_playlist(const Source& source, const Choice& choice, const Cut& cut) {
  const SourceRendition& rendition = source.renditions[cut.rendition];
  std::string folder = fmt::format("{}{}/{}/{}/", up, source.asset, source.version, rendition.name);
  media::MediaPlaylist playlist{
      .target_duration_s = source.target_duration_s,
      .type = media::PlaylistType::vod,
      .map_uri = rendition.map_uri.empty() ? folder + "init.mp4" : rendition.map_uri,
      .ended = true};
  if (choice.start_us > choice.begin_us) playlist.start_us = choice.start_us - choice.begin_us;
  // Dates go by the first rendition, so that they are the same in all.
  const SourceRendition& lead = source.renditions.front();
  std::int64_t lead_begin = lead.segments.front().number;
  auto date_us = choice.date_us;
  for (std::size_t i = cut.begin; i < cut.end; ++i) {
    const SourceSegment& segment = rendition.segments[i];
    std::string own = folder + fmt::format("{}.m4s", segment.number);
    playlist.segments.push_back({.uri = segment.uri.empty() ? std::move(own) : segment.uri,
                                 .duration = segment.us,
                                 .timescale = media::us_per_s,
                                 .date_us = date_us,
                                 .gap = segment.gap});
    if (date_us)
      *date_us += lead.segments[static_cast<std::size_t>(segment.number - lead_begin)].us;
  }
  return playlist;
}

media::MultivariantPlaylist multivariant_playlist(const media::MultivariantPlaylist& of,
                                                  const MediaPlaylists& playlists,
                                                  std::string_view asset, std::string_view version,
                                                  const MeasuredOf& measured) {
  Rates rates = measure(playlists, asset, version, measured);
  media::MultivariantPlaylist playlist{.captions = of.captions};
  SoundRate sound;
  for (media::AudioRendition audio : of.audios) {
    auto rate = rates.find(media::rendition_of(audio.uri));
    if (rate == rates.end()) continue;
    audio.uri = playlist_uri(version, rate->first);
    sound.peak_bit_s = std::max(sound.peak_bit_s, rate->second.whole.peak());
    sound.average_bit_s = std::max(sound.average_bit_s, rate->second.whole.average());
    playlist.audios.push_back(std::move(audio));
  }
  for (const media::Variant& variant : of.variants) {
    bool has_sound = !variant.audio_group.empty();
    auto own = variant_of_clip(variant, rates, version, has_sound ? sound : SoundRate{});
    if (own) playlist.variants.push_back(std::move(*own));
  }
  if (of.sound_only) playlist.sound_only = variant_of_clip(*of.sound_only, rates, version, {});
  add_i_frames(of, rates, version, playlist);
  add_images(of, rates, version, playlist);
  return playlist;
}

std::string uri_of(const Place& place) {
  return fmt::format("{}{}/{}/{}", up, place.asset, place.version, place.object);
}

std::vector<Holds> holds_of(const MediaPlaylists& playlists, std::string_view asset,
                            std::string_view version) {
  std::vector<Holds> all;
  auto see = [&](const Place& place, bool) { add_hold(place, all); };
  for_each_of_others(playlists, asset, version, see);
  return all;
}

std::vector<Place> named_by(const MediaPlaylists& playlists, std::string_view asset,
                            std::string_view version) {
  std::vector<Place> named;
  auto see = [&](Place place, bool gap) {
    if (!gap) named.push_back(std::move(place));
  };
  for_each_of_others(playlists, asset, version, see);
  return named;
}

}  // namespace relay::origin::clip
