#include "common/media/job.hpp"

#include <boost/json.hpp>

#include <optional>

namespace relay::media {
namespace {

namespace json = boost::json;

constexpr std::string_view kind_video = "video";
constexpr std::string_view kind_photo = "photo";

// Reads members of one object; the first wrong type is remembered and what follows is skipped.
class ObjectReader {
 public:
  ObjectReader(std::string_view what, const json::object& object) : what_(what), object_(object) {}

  void text(std::string_view key, std::string& into) {
    if (const json::value* value = member(key, "a text", &json::value::is_string))
      into = std::string(value->get_string());
  }
  void flag(std::string_view key, bool& into) {
    if (const json::value* value = member(key, "true or false", &json::value::is_bool))
      into = value->get_bool();
  }
  template <class Integer>
  void integer(std::string_view key, Integer& into) {
    const json::value* value = member(key, "a whole number", &json::value::is_number);
    if (value) assign_integer(key, *value, into);
  }
  void number(std::string_view key, double& into) {
    if (const json::value* value = member(key, "a number", &json::value::is_number))
      into = value->to_number<double>();
  }
  template <class Integer>
  void integers(std::string_view key, std::vector<Integer>& into) {
    const json::value* value = member(key, "a list", &json::value::is_array);
    if (!value) return;
    for (const json::value& item : value->get_array())
      assign_integer(key, item, into.emplace_back());
  }
  const json::array* list(std::string_view key) {
    const json::value* value = member(key, "a list", &json::value::is_array);
    return value ? &value->get_array() : nullptr;
  }
  void refuse(std::string_view key, std::string_view wanted) {
    if (!error_)
      error_ = std::string(what_) + ": '" + std::string(key) + "' must be " + std::string(wanted);
  }
  const std::optional<std::string>& error() const { return error_; }

 private:
  const json::value* member(std::string_view key, std::string_view wanted,
                            bool (json::value::*is_kind)() const noexcept) {
    const json::value* value = object_.if_contains(key);
    if (!value || error_) return nullptr;
    if ((value->*is_kind)()) return value;
    refuse(key, wanted);
    return nullptr;
  }
  template <class Integer>
  void assign_integer(std::string_view key, const json::value& value, Integer& into) {
    json::error_code ec;
    auto number = value.to_number<Integer>(ec);
    if (ec) return refuse(key, "a whole number");
    into = number;
  }

  std::string_view what_;
  const json::object& object_;
  std::optional<std::string> error_;
};

Result<json::object> object_from(std::string_view what, std::string_view text) {
  json::error_code ec;
  json::value value = json::parse(text, ec);
  if (ec) return bad_input(std::string(what) + ": not JSON: " + ec.message());
  if (!value.is_object()) return bad_input(std::string(what) + ": must be an object");
  return value.get_object();
}

PublishedRendition rendition_from(ObjectReader& reader) {
  PublishedRendition rendition;
  reader.text("name", rendition.name);
  reader.text("playlist", rendition.playlist);
  reader.integers("segment_bytes", rendition.segment_bytes);
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
                    {"segment_bytes", json::value_from(rendition.segment_bytes)}});
  return list;
}

}  // namespace

std::string to_json(const Job& job) {
  return json::serialize(
      json::object{{"kind", job.kind == JobKind::video ? kind_video : kind_photo},
                   {"tenant", job.tenant},
                   {"asset", job.asset},
                   {"version", job.version},
                   {"source_bytes", job.source_bytes},
                   {"attempt", job.attempt},
                   {"published", to_array(job.published)},
                   {"multivariant", job.multivariant}});
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
  if (kind != kind_video && kind != kind_photo) reader.refuse("kind", "\"video\" or \"photo\"");
  for (auto [key, name] : {std::pair{"tenant", &job.tenant}, std::pair{"asset", &job.asset},
                           std::pair{"version", &job.version}})
    if (name->empty()) reader.refuse(key, "a name");
  if (reader.error()) return bad_input(*reader.error());
  job.kind = kind == kind_video ? JobKind::video : JobKind::photo;
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
                                      {"photo_widths", json::value_from(result.photo_widths)}});
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
  if (!result.ready && result.reason.empty())
    reader.refuse("reason", "given when the result is not ready");
  if (reader.error()) return bad_input(*reader.error());
  return result;
}

}  // namespace relay::media
