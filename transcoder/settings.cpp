#include "transcoder/settings.hpp"

#include <algorithm>
#include <set>

namespace relay::transcoder {
namespace {

constexpr std::int64_t side_max = 16384;

void describe_rung(Schema& schema, LadderRung& into) {
  schema.count("width", into.width, "the picture is fitted into width x height, never enlarged",
               {16, side_max});
  schema.count("height", into.height, "for a portrait picture width and height change places",
               {16, side_max});
  schema.count("kbit_s", into.kbit_s, "average bit rate; peaks stay below twice this",
               {20, 200'000});
  schema.flag("half_rate", into.half_rate, "at most 30 pictures a second");
}

void describe_photo_rendition(Schema& schema, PhotoRendition& into) {
  schema.count("width", into.width, "pixels; made unless the photo is narrower", {16, side_max});
}

const std::vector<std::string>& presets() {
  static const std::vector<std::string> names = {"ultrafast", "superfast", "veryfast", "faster",
                                                 "fast",      "medium",    "slow",     "slower"};
  return names;
}

void describe_encoding(Schema& schema, Encoding& into) {
  schema.text("encoding.preset", into.preset, "of x264: slower is better at the same size",
              presets());
  schema.number("encoding.crf", into.crf,
                "constant quality below the rates of the ladder; less is better", {0, 51});
  schema.count("encoding.audio_kbit_s", into.audio_kbit_s, "stereo AAC", {32, 512});
  schema.flag("encoding.passthrough", into.passthrough,
              "publish a fitting H.264/AAC source as it is, before any encode");
  schema.number("encoding.passthrough_mbit_s_max", into.passthrough_mbit_s_max,
                "heaviest segment of a source that is published as it is", {0.1, 200});
  schema.count("encoding.workers", into.workers, "encoding threads; 0: one a core", {0, 256});
  schema.tables("ladder", into.ladder, describe_rung, "the renditions, smallest first");
}

void describe_live(Schema& schema, LiveEncoding& into) {
  schema.text("live.preset", into.preset, "of x264, for channels", presets());
  schema.number("live.crf", into.crf,
                "constant quality below the rates of the ladder; less is better", {0, 51});
  schema.count("live.rungs_max", into.rungs_max, "of the ladder, evenly chosen", {1, 16});
  schema.count("live.workers", into.workers, "encoding threads of a channel; 0: one a core",
               {0, 256});
  schema.duration("live.delay", into.delay,
                  "from a picture's arrival to its showing: what jitter is smoothed", {0, 5000});
  schema.duration("live.frozen", into.frozen, "the same picture for so long: the slot is frozen",
                  {1000});
  schema.duration("live.silent", into.silent, "no sound to hear for so long: the slot is silent",
                  {1000});
  schema.duration("live.return_after", into.return_after,
                  "a primary that is well again for so long goes on air again");
}

void describe_source(Schema& schema, SourceLimits& into) {
  schema.count("source.streams_max", into.streams_max, "tracks in one file", {1, 1000});
  schema.count("source.width_max", into.width_max, "pixels, of a landscape picture",
               {16, side_max});
  schema.count("source.height_max", into.height_max, "pixels, of a landscape picture",
               {16, side_max});
  schema.bytes("source.probe_bytes", into.probe_bytes, "read to find out what a file is",
               {4096, 1 << 30});
  schema.duration("source.duration_max", into.duration_max, "of the programme", {1000});
  schema.duration("source.wall_clock_max", into.wall_clock_max, "of the work on one file", {1000});
}

void describe_photo(Schema& schema, PhotoSettings& into) {
  schema.tables("photo.rendition", into.renditions, describe_photo_rendition,
                "one JPEG and one WebP each; a narrower photo ends with its own width");
  schema.count("photo.jpeg_quality", into.jpeg_quality, "of JPEG renditions", {1, 100});
  schema.count("photo.webp_quality", into.webp_quality, "of WebP renditions", {1, 100});
  schema.count("photo.pixels_max", into.pixels_max, "width x height of a photo",
               {1, 4'000'000'000});
}

void check_ladder(Schema& schema, const Encoding& encoding) {
  if (encoding.ladder.empty()) schema.reject("ladder", "is empty; give at least one rendition");
  std::set<std::pair<std::int64_t, std::int64_t>> sizes;
  for (const LadderRung& rung : encoding.ladder)
    if (!sizes.insert({rung.width, rung.height}).second)
      schema.reject("ladder", "has two renditions of one size; a size may stand once");
}

}  // namespace

void describe(Schema& schema, Settings& into) {
  describe_encoding(schema, into.encoding);
  describe_live(schema, into.live);
  describe_source(schema, into.source);
  describe_photo(schema, into.photo);
  schema.bytes("output.size_max", into.output_size_max, "of everything that one job publishes",
               {1 << 20});
  schema.flag("sandbox.enabled", into.sandbox,
              "no files, no network, no other programs; off only to look for a fault");
  check_ladder(schema, into.encoding);
  if (into.photo.renditions.empty())
    schema.reject("photo.rendition", "is empty; give at least one width");
}

Result<Settings> load(const std::string& path) {
  if (path.empty()) return Settings{};
  return load_settings<Settings>(path, describe);
}

}  // namespace relay::transcoder
