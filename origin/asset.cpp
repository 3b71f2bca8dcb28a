#include "origin/asset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>

#include "common/media/date.hpp"
#include "common/media/media_path.hpp"

namespace relay::origin {
namespace {

namespace json = boost::json;

constexpr const char* kind_names[] = {"video", "photo", "channel", "clip"};
constexpr const char* state_names[] = {"receiving", "queued", "processing",
                                       "ready",     "failed", "live"};

json::object stored(const Rendition& rendition) {
  return {{"name", rendition.name},
          {"codecs", rendition.codecs},
          {"width", rendition.width},
          {"height", rendition.height},
          {"frame_rate", rendition.frame_rate},
          {"bandwidth", rendition.bandwidth},
          {"average_bandwidth", rendition.average_bandwidth}};
}

Rendition rendition_from(const json::object& from) {
  Rendition rendition;
  rendition.name = json::value_to<std::string>(from.at("name"));
  rendition.codecs = json::value_to<std::string>(from.at("codecs"));
  rendition.width = from.at("width").to_number<int>();
  rendition.height = from.at("height").to_number<int>();
  rendition.frame_rate = from.at("frame_rate").to_number<double>();
  rendition.bandwidth = from.at("bandwidth").to_number<std::int64_t>();
  rendition.average_bandwidth = from.at("average_bandwidth").to_number<std::int64_t>();
  return rendition;
}

json::array public_photos(const Asset& asset) {
  json::array photos;
  for (int width : asset.photo_widths) {
    photos.push_back(
        json::object{{"name", fmt::format("w{}", width)},
                     {"width", width},
                     {"url", fmt::format("/{}/{}/w{}", asset.tenant, asset.name, width)},
                     {"jpeg", media::photo_path(asset.tenant, asset.name, width, "jpg")},
                     {"webp", media::photo_path(asset.tenant, asset.name, width, "webp")}});
  }
  return photos;
}

/// The codec of thumbnails, which are no rendition to a viewer.
constexpr std::string_view image_codec = "jpeg";

std::string address_of(const Asset& asset, const Rendition& rendition) {
  return media::version_prefix(asset.tenant, asset.name, asset.current_version) + rendition.name +
         "/index.m3u8";
}

json::array public_renditions(const Asset& asset) {
  if (asset.kind == AssetKind::photo) return public_photos(asset);
  json::array renditions;
  for (const Rendition& rendition : asset.renditions) {
    if (rendition.codecs == image_codec) continue;
    json::object out = stored(rendition);
    out["url"] = address_of(asset, rendition);
    renditions.push_back(std::move(out));
  }
  return renditions;
}

json::value thumbnails_of(const Asset& asset) {
  auto found = std::ranges::find(asset.renditions, image_codec, &Rendition::codecs);
  if (found == asset.renditions.end()) return nullptr;
  return json::string(address_of(asset, *found));
}

json::value playback_of(const Asset& asset) {
  if (asset.current_version.empty()) return nullptr;
  if (asset.kind != AssetKind::photo) {
    return json::string(media::multivariant_path(asset.tenant, asset.name));
  }
  if (asset.photo_widths.empty()) return nullptr;
  int widest = std::ranges::max(asset.photo_widths);
  return json::string(fmt::format("/{}/{}/w{}", asset.tenant, asset.name, widest));
}

json::object stored(const ClipFacts& clip) {
  json::object out{{"from", clip.from},
                   {"from_version", clip.from_version},
                   {"start_us", clip.start_us},
                   {"end_us", clip.end_us},
                   {"lead_in_us", clip.lead_in_us},
                   {"exactness", static_cast<int>(clip.exactness)},
                   {"exact_error", clip.exact_error},
                   {"rough_version", clip.rough_version},
                   {"rough_lead_in_us", clip.rough_lead_in_us},
                   {"root", clip.root},
                   {"shown_start_us", clip.shown_start_us},
                   {"shown_end_us", clip.shown_end_us}};
  if (clip.start_date_us) out["start_date_us"] = *clip.start_date_us;
  return out;
}

ClipFacts clip_from(const json::object& from) {
  ClipFacts clip;
  clip.from = json::value_to<std::string>(from.at("from"));
  clip.from_version = json::value_to<std::string>(from.at("from_version"));
  clip.start_us = from.at("start_us").to_number<std::int64_t>();
  clip.end_us = from.at("end_us").to_number<std::int64_t>();
  clip.lead_in_us = from.at("lead_in_us").to_number<std::int64_t>();
  if (const json::value* date = from.if_contains("start_date_us"))
    clip.start_date_us = date->to_number<std::int64_t>();
  // Earlier clips were made of videos and channels only, and say nothing of it.
  const json::value* root = from.if_contains("root");
  clip.root = root ? json::value_to<std::string>(*root) : clip.from;
  // Clips of before there were exact ones say nothing of it.
  const json::value* exactness = from.if_contains("exactness");
  if (!exactness) return clip;
  clip.exactness = static_cast<Exactness>(exactness->to_number<int>());
  clip.exact_error = json::value_to<std::string>(from.at("exact_error"));
  clip.rough_version = json::value_to<std::string>(from.at("rough_version"));
  clip.rough_lead_in_us = from.at("rough_lead_in_us").to_number<std::int64_t>();
  const json::value* shown_end = from.if_contains("shown_end_us");  // later than the others
  if (!shown_end) return clip;
  clip.shown_start_us = from.at("shown_start_us").to_number<std::int64_t>();
  clip.shown_end_us = shown_end->to_number<std::int64_t>();
  return clip;
}

/// What an earlier release did not keep is what it was as long as nothing was replaced.
void read_current(const json::object& from, Asset& asset) {
  asset.current_sha256 = asset.sha256;
  asset.current_bytes = asset.bytes;
  asset.current_whole = asset.state == AssetState::ready;
  const json::value* warnings = from.if_contains("warnings");
  if (!warnings) return;
  asset.warnings = json::value_to<std::vector<std::string>>(*warnings);
  asset.current_sha256 = json::value_to<std::string>(from.at("current_sha256"));
  asset.current_bytes = from.at("current_bytes").to_number<std::uint64_t>();
  asset.current_whole = from.at("current_whole").as_bool();
}

json::value public_exactness(const ClipFacts& clip) {
  if (clip.exactness == Exactness::pending) return "pending";
  return clip.exactness == Exactness::exact;
}

/// Times as they can be asked for again: of an exact one those of the pictures that it shows.
json::object public_clip(const ClipFacts& clip) {
  json::object out{{"from", clip.from},
                   {"from_version", clip.from_version},
                   {"lead_in", static_cast<double>(clip.lead_in_us) / 1e6},
                   {"exact", public_exactness(clip)}};
  if (!clip.exact_error.empty()) out["exact_error"] = clip.exact_error;
  bool is_cut = clip.exactness == Exactness::exact && clip.shown_end_us > 0;
  for (auto [name, us] : {std::pair("start", is_cut ? clip.shown_start_us : clip.start_us),
                          std::pair("end", is_cut ? clip.shown_end_us : clip.end_us)}) {
    if (clip.start_date_us)
      out[name] = media::date_text(*clip.start_date_us + us - clip.start_us);
    else
      out[name] = static_cast<double>(us) / 1e6;
  }
  return out;
}

/// Viewers get an older version: the newest one is being made, or it failed.
bool is_replaced(const Asset& asset) {
  return asset.kind == AssetKind::video && !asset.current_version.empty() &&
         asset.current_version != asset.newest_version;
}

/// Of what is whole: all of it as one file.
json::value download_of(const Asset& asset) {
  bool is_whole = is_replaced(asset) ? asset.current_whole : asset.state == AssetState::ready;
  if (!is_whole || asset.kind == AssetKind::photo || asset.current_version.empty()) return nullptr;
  return json::string(media::download_path(asset.tenant, asset.name, asset.current_version));
}

double fraction_of(const Asset& asset, const std::optional<media::Progress>& progress) {
  if (asset.state == AssetState::ready) return 1.0;
  return progress ? progress->fraction : 0.0;
}

json::value error_of(const Asset& asset) {
  if (asset.error.empty()) return nullptr;
  return json::string(asset.error);
}

/// The upload that is to replace what viewers get.
json::value replacement_of(const Asset& asset, const std::optional<media::Progress>& progress) {
  if (!is_replaced(asset)) return nullptr;
  return json::object{{"version", asset.newest_version},
                      {"state", name(asset.state)},
                      {"bytes", asset.bytes},
                      {"sha256", asset.sha256},
                      {"progress", fraction_of(asset, progress)},
                      {"stage", progress ? progress->stage : std::string()},
                      {"error", error_of(asset)}};
}

json::array array_of(const auto& values) {
  json::array array;
  for (const auto& value : values) array.emplace_back(value);
  return array;
}

}  // namespace

const char* name(AssetKind kind) {
  return kind_names[static_cast<int>(kind)];
}
const char* name(AssetState state) {
  return state_names[static_cast<int>(state)];
}

std::optional<AssetKind> asset_kind(std::string_view text) {
  auto found = std::ranges::find(kind_names, text);
  if (found == std::end(kind_names)) return std::nullopt;
  return static_cast<AssetKind>(found - std::begin(kind_names));
}

std::string to_stored(const Asset& asset) {
  json::array renditions;
  for (const Rendition& rendition : asset.renditions) renditions.push_back(stored(rendition));
  json::object out{{"tenant", asset.tenant},
                   {"name", asset.name},
                   {"kind", static_cast<int>(asset.kind)},
                   {"state", static_cast<int>(asset.state)},
                   {"title", asset.title},
                   {"tags", array_of(asset.tags)},
                   {"sha256", asset.sha256},
                   {"bytes", asset.bytes},
                   {"created_ms", asset.created.time_since_epoch().count()},
                   {"updated_ms", asset.updated.time_since_epoch().count()},
                   {"newest_version", asset.newest_version},
                   {"current_version", asset.current_version},
                   {"renditions", std::move(renditions)},
                   {"photo_widths", array_of(asset.photo_widths)},
                   {"error", asset.error},
                   {"width", asset.width},
                   {"height", asset.height},
                   {"duration_ms", asset.duration_ms},
                   {"warnings", array_of(asset.warnings)},
                   {"current_sha256", asset.current_sha256},
                   {"current_bytes", asset.current_bytes},
                   {"current_whole", asset.current_whole}};
  if (asset.clip) out["clip"] = stored(*asset.clip);
  return json::serialize(out);
}

Result<Asset> asset_from_stored(std::string_view text) {
  boost::system::error_code ec;
  json::value parsed = json::parse(text, ec);
  if (ec || !parsed.is_object()) {
    return fail(ErrorKind::corrupt, ErrorSource::disk, "the catalog holds a broken asset");
  }
  try {
    const json::object& from = parsed.get_object();
    auto text_of = [&](const char* key) { return json::value_to<std::string>(from.at(key)); };
    auto time_of = [&](const char* key) {
      return WallTime(std::chrono::milliseconds(from.at(key).to_number<std::int64_t>()));
    };
    Asset asset;
    asset.tenant = text_of("tenant");
    asset.name = text_of("name");
    asset.kind = static_cast<AssetKind>(from.at("kind").to_number<int>());
    asset.state = static_cast<AssetState>(from.at("state").to_number<int>());
    asset.title = text_of("title");
    asset.tags = json::value_to<std::vector<std::string>>(from.at("tags"));
    asset.sha256 = text_of("sha256");
    asset.bytes = from.at("bytes").to_number<std::uint64_t>();
    asset.created = time_of("created_ms");
    asset.updated = time_of("updated_ms");
    asset.newest_version = text_of("newest_version");
    asset.current_version = text_of("current_version");
    for (const json::value& rendition : from.at("renditions").as_array()) {
      asset.renditions.push_back(rendition_from(rendition.as_object()));
    }
    asset.photo_widths = json::value_to<std::vector<int>>(from.at("photo_widths"));
    asset.error = text_of("error");
    asset.width = from.at("width").to_number<int>();
    asset.height = from.at("height").to_number<int>();
    asset.duration_ms = from.at("duration_ms").to_number<std::int64_t>();
    read_current(from, asset);
    if (const json::value* clip = from.if_contains("clip"))
      asset.clip = clip_from(clip->as_object());
    return asset;
  } catch (const std::exception& error) {
    return fail(ErrorKind::corrupt, ErrorSource::disk,
                fmt::format("the catalog holds a broken asset: {}", error.what()));
  }
}

json::object to_public(const Asset& asset, const std::optional<media::Progress>& progress) {
  bool replaced = is_replaced(asset);
  bool is_current = replaced || asset.clip;
  json::object out{{"tenant", asset.tenant},
                   {"asset", asset.name},
                   {"kind", name(asset.kind)},
                   {"state", name(asset.state)},
                   {"title", asset.title},
                   {"tags", array_of(asset.tags)},
                   {"bytes", replaced ? asset.current_bytes : asset.bytes},
                   {"sha256", replaced ? asset.current_sha256 : asset.sha256},
                   {"created", rfc3339(asset.created)},
                   {"updated", rfc3339(asset.updated)},
                   {"version", is_current ? asset.current_version : asset.newest_version},
                   {"progress", fraction_of(asset, progress)},
                   {"stage", progress ? progress->stage : std::string()},
                   {"playback", playback_of(asset)},
                   {"renditions", public_renditions(asset)},
                   {"thumbnails", thumbnails_of(asset)},
                   {"width", asset.width},
                   {"height", asset.height},
                   {"duration", static_cast<double>(asset.duration_ms) / 1000.0},
                   {"warnings", array_of(asset.warnings)},
                   {"error", error_of(asset)},
                   {"replacement", replacement_of(asset, progress)}};
  if (asset.kind != AssetKind::photo) {
    out["watch"] = fmt::format("/watch/{}/{}", asset.tenant, asset.name);
    out["download"] = download_of(asset);
  }
  if (asset.clip) out["clip"] = public_clip(*asset.clip);
  return out;
}

std::vector<Rendition> renditions_of(const media::MultivariantPlaylist& playlist) {
  std::vector<Rendition> renditions;
  for (const media::Variant& variant : playlist.variants) {
    renditions.push_back({std::string(media::rendition_of(variant.uri)), variant.codecs,
                          variant.width, variant.height, variant.frame_rate, variant.bandwidth,
                          variant.average_bandwidth});
  }
  for (const media::AudioRendition& audio : playlist.audios) {
    if (!audio.uri.empty())
      renditions.emplace_back().name = std::string(media::rendition_of(audio.uri));
  }
  for (const media::TrickVariant& images : playlist.images) {
    renditions.push_back({std::string(media::rendition_of(images.uri)), images.codecs, images.width,
                          images.height, 0, images.bandwidth, images.average_bandwidth});
  }
  return renditions;
}

std::string version_name(WallTime now, std::uint32_t random) {
  constexpr std::string_view digits = "0123456789abcdefghijklmnopqrstuv";
  std::string name(13, '0');
  auto fill = [&](std::uint64_t value, std::size_t first, std::size_t end) {
    for (std::size_t i = end; i > first; --i, value >>= 5) name[i - 1] = digits[value & 31];
  };
  fill(static_cast<std::uint64_t>(now.time_since_epoch().count()), 0, 9);
  fill(random, 9, 13);
  return name;
}

std::string rfc3339(WallTime time) {
  auto day = std::chrono::floor<std::chrono::days>(time);
  std::chrono::year_month_day date(day);
  std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

}  // namespace relay::origin
