#include "common/media/job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "common/media/edge_json.hpp"
#include "common/media/live_json.hpp"
#include "common/media/object_reader.hpp"

namespace relay::media {
namespace {

namespace json = boost::json;

constexpr std::string_view kinds[] = {"video", "photo", "live",
                                      "edges"};  // in the order of JobKind

std::optional<JobKind> kind_of(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kinds); ++i)
    if (kinds[i] == name) return static_cast<JobKind>(i);
  return std::nullopt;
}

PublishedRendition rendition_from(ObjectReader& reader) {
  PublishedRendition rendition;
  reader.text("name", rendition.name);
  reader.text("playlist", rendition.playlist);
  reader.integers("segment_bytes", rendition.segment_bytes);
  reader.texts("segment_keys", rendition.segment_keys);
  return rendition;
}

Result<std::vector<PublishedRendition>> renditions_from(const json::array& list) {
  std::vector<PublishedRendition> renditions;
  for (const json::value& item : list) {
    if (!item.is_object()) return bad_input("job: 'published' must hold objects");
    ObjectReader reader("job.published", item.get_object());
    renditions.push_back(rendition_from(reader));
    if (reader.error()) return bad_input(*reader.error());
  }
  return renditions;
}

json::array to_array(const std::vector<PublishedRendition>& renditions) {
  json::array list;
  for (const PublishedRendition& rendition : renditions)
    list.push_back({{"name", rendition.name},
                    {"playlist", rendition.playlist},
                    {"segment_bytes", json::value_from(rendition.segment_bytes)},
                    {"segment_keys", json::value_from(rendition.segment_keys)}});
  return list;
}

}  // namespace

std::string to_json(const Job& job) {
  json::object object{{"kind", kinds[static_cast<std::size_t>(job.kind)]},
                      {"tenant", job.tenant},
                      {"asset", job.asset},
                      {"version", job.version},
                      {"source_bytes", job.source_bytes},
                      {"attempt", job.attempt},
                      {"published", to_array(job.published)},
                      {"multivariant", job.multivariant}};
  if (job.live) object["live"] = to_object(*job.live);
  if (job.edges) object["edges"] = to_object(*job.edges);
  return json::serialize(object);
}

Result<Job> job_from_json(std::string_view text) {
  auto object = object_from("job", text);
  if (!object) return std::unexpected(object.error());
  Job job;
  std::string kind;
  ObjectReader reader("job", *object);
  reader.text("kind", kind);
  reader.text("tenant", job.tenant);
  reader.text("asset", job.asset);
  reader.text("version", job.version);
  reader.integer("source_bytes", job.source_bytes);
  reader.integer("attempt", job.attempt);
  reader.text("multivariant", job.multivariant);
  const json::array* published = reader.list("published");
  const json::object* live = reader.object("live");
  const json::object* edges = reader.object("edges");
  auto known = kind_of(kind);
  if (!known) reader.refuse("kind", "\"video\", \"photo\", \"live\" or \"edges\"");
  if (known && (known == JobKind::live) != (live != nullptr))
    reader.refuse("live", "there for kind live, and only for it");
  if (known && (known == JobKind::edges) != (edges != nullptr))
    reader.refuse("edges", "there for kind edges, and only for it");
  for (auto [key, name] : {std::pair{"tenant", &job.tenant}, std::pair{"asset", &job.asset},
                           std::pair{"version", &job.version}})
    if (name->empty()) reader.refuse(key, "a name");
  if (reader.error()) return bad_input(*reader.error());
  job.kind = *known;
  if (live) {
    auto read = live_job_from(*live);
    if (!read) return std::unexpected(read.error());
    job.live = std::move(*read);
  }
  if (edges) {
    auto read = edge_job_from(*edges);
    if (!read) return std::unexpected(read.error());
    job.edges = std::move(*read);
  }
  if (published) {
    auto renditions = renditions_from(*published);
    if (!renditions) return std::unexpected(renditions.error());
    job.published = std::move(*renditions);
  }
  return job;
}

std::string to_json(const Progress& progress) {
  return json::serialize(json::object{{"fraction", progress.fraction}, {"stage", progress.stage}});
}

Result<Progress> progress_from_json(std::string_view text) {
  auto object = object_from("progress", text);
  if (!object) return std::unexpected(object.error());
  Progress progress;
  ObjectReader reader("progress", *object);
  reader.number("fraction", progress.fraction);
  reader.text("stage", progress.stage);
  if (!(progress.fraction >= 0 && progress.fraction <= 1)) reader.refuse("fraction", "from 0 to 1");
  if (reader.error()) return bad_input(*reader.error());
  return progress;
}

std::string to_json(const JobResult& result) {
  return json::serialize(json::object{{"ready", result.ready},
                                      {"retry", result.retry},
                                      {"reason", result.reason},
                                      {"duration_ms", result.duration_ms},
                                      {"width", result.width},
                                      {"height", result.height},
                                      {"photo_widths", json::value_from(result.photo_widths)},
                                      {"edge_begin_us", result.edge_begin_us},
                                      {"warnings", json::value_from(result.warnings)}});
}

Result<JobResult> result_from_json(std::string_view text) {
  auto object = object_from("result", text);
  if (!object) return std::unexpected(object.error());
  JobResult result;
  ObjectReader reader("result", *object);
  reader.flag("ready", result.ready);
  reader.flag("retry", result.retry);
  reader.text("reason", result.reason);
  reader.integer("duration_ms", result.duration_ms);
  reader.integer("width", result.width);
  reader.integer("height", result.height);
  reader.integers("photo_widths", result.photo_widths);
  reader.integer("edge_begin_us", result.edge_begin_us);
  reader.texts("warnings", result.warnings);
  bool is_long = std::ranges::any_of(
      result.warnings, [](const std::string& each) { return each.size() > warning_bytes_max; });
  if (is_long || result.warnings.size() > warnings_max)
    reader.refuse("warnings", fmt::format("at most {} texts of at most {} bytes", warnings_max,
                                          warning_bytes_max));
  if (result.edge_begin_us < 0) reader.refuse("edge_begin_us", "0 or more");
  if (!result.ready && result.reason.empty())
    reader.refuse("reason", "given when the result is not ready");
  if (reader.error()) return bad_input(*reader.error());
  return result;
}

}  // namespace relay::media
