#include "origin/settings.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include "common/media/media_path.hpp"
#include "common/net/client.hpp"
#include "origin/jobs/startable.hpp"

namespace relay::origin {
namespace {

bool is_sha256_hex(std::string_view text) {
  return text.size() == 64 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

void describe_tenant(Schema& schema, TenantSettings& into) {
  schema.text("name", into.name, "the first part of the tenant's URLs");
  schema.texts("key_sha256", into.key_sha256,
               "SHA-256 of each of its keys in hexadecimal (printf %s KEY | sha256sum)");
  if (auto name = media::check_tenant(into.name); !name)
    schema.reject("name", name.error().message);
  for (const std::string& hash : into.key_sha256) {
    if (!is_sha256_hex(hash)) {
      schema.reject("key_sha256",
                    "'" + hash + "' is not a SHA-256; allowed are 64 digits of 0-9a-f");
    }
  }
}

void describe_uploads(Schema& schema, UploadSettings& into) {
  schema.bytes("uploads.size_max", into.size_max, "a larger upload is refused with 413",
               {.least = 1});
  schema.bytes("uploads.free_space_min", into.free_space_min,
               "with less space than this on the disk, uploads are refused with 507");
  schema.count("uploads.concurrent_max", into.concurrent_max,
               "more at the same time are refused with 503", {1, 10000});
}

void describe_jobs(Schema& schema, jobs::JobSettings& into) {
  schema.text("jobs.transcoder", into.transcoder, "the transcoder program");
  schema.text("jobs.transcoder_config", into.transcoder_config,
              "its config file; empty: its own defaults");
  schema.count("jobs.concurrent_max", into.concurrent_max, "videos transcoded at the same time",
               {1, 256});
  schema.count("jobs.photos_concurrent_max", into.photos_concurrent_max,
               "photos at the same time, beside the videos", {1, 256});
  schema.duration("jobs.turn", into.turn,
                  "a video that has had so long makes room for others that wait, and goes on later",
                  {.least = 100});
  schema.duration("jobs.deadline", into.deadline, "a try that takes longer is killed",
                  {.least = 1000});
  schema.duration("jobs.stall", into.stall, "a try without a sign of life for this long is killed",
                  {.least = 100});
  schema.bytes("jobs.memory_max", into.memory_max, "a transcoder that needs more memory is killed",
               {.least = 64 << 20});
  schema.count("jobs.attempts_max", into.attempts_max, "tries of one job before its asset fails",
               {1, 100});
  schema.bytes("jobs.object_size_max", into.object_size_max,
               "the largest segment or photo rendition that a transcoder may publish",
               {.least = 1 << 20, .most = 2ll << 30});
}

void describe_live_listeners(Schema& schema, live::LiveSettings& into) {
  schema.text("live.rtmp", into.rtmp, "where RTMP publishers connect; empty: nowhere");
  schema.text("live.rtmps", into.rtmps, "the same with TLS; needs the two files below");
  schema.text("live.rtmps_certificate", into.rtmps_certificate,
              "PEM file of the certificate chain");
  schema.text("live.rtmps_key", into.rtmps_key, "PEM file of its private key");
  schema.text("live.srt", into.srt, "where SRT publishers connect (UDP); empty: nowhere");
  schema.duration("live.srt_latency", into.srt_latency,
                  "what SRT lost may take so long to come again, and feeds are late by it; a "
                  "publisher may ask for more",
                  {.least = 20, .most = 8000});
  schema.text("live.public_host", into.public_host,
              "the host in the addresses that the API gives; empty: as listened on");
}

void describe_live(Schema& schema, live::LiveSettings& into) {
  describe_live_listeners(schema, into);
  schema.duration("live.part", into.part, "target duration of a part of low-latency HLS",
                  {.least = live::part_ms_bounds.least, .most = live::part_ms_bounds.most});
  schema.duration("live.group", into.group, "from one key picture to the next",
                  {.least = live::group_ms_bounds.least, .most = live::group_ms_bounds.most});
  schema.duration("live.segment", into.segment, "of a segment; a multiple of live.group",
                  {.least = live::segment_ms_bounds.least, .most = live::segment_ms_bounds.most});
  schema.duration(
      "live.dvr", into.dvr,
      "how far back a channel's playlists reach; what left them stays on disk for as long again",
      {.least = live::dvr_ms_bounds.least, .most = live::dvr_ms_bounds.most});
  schema.bytes(
      "live.dvr_size_max", into.dvr_size_max,
      "a channel whose window needs more space forgets its oldest segments sooner; six stay",
      {.least = live::dvr_bytes_least});
  schema.text("live.between", into.between,
              "what viewers get while nobody publishes: gaps in the playlist, or a still picture",
              {"gap", "slate"});
  schema.text("live.busy_slot", into.busy_slot,
              "what a second publisher on the same slot does: it is refused, or replaces the first",
              {"refuse", "replace"});
  schema.flag("live.return_to_primary", into.return_to_primary,
              "whether the primary publisher goes on air again when it is well again");
  schema.count("live.channels_max", into.channels_max, "open at the same time", {0, 1000});
  if (into.part > into.group) schema.reject("live.part", "must not be above live.group");
  if (into.group.count() > 0 && into.segment % into.group != std::chrono::milliseconds(0))
    schema.reject("live.segment", "must be a multiple of live.group");
}

void check_edges(Schema& schema, const std::vector<std::string>& edges) {
  for (const std::string& url : edges) {
    if (auto endpoint = net::endpoint_of(url); !endpoint) {
      schema.reject("edges.admin", endpoint.error().message);
    }
  }
}

void check_tenants(Schema& schema, const std::vector<TenantSettings>& tenants) {
  for (auto it = tenants.begin(); it != tenants.end(); ++it) {
    bool again = std::any_of(tenants.begin(), it,
                             [&](const TenantSettings& other) { return other.name == it->name; });
    if (again)
      schema.reject("tenants", "tenant '" + it->name + "' stands here twice; name it once");
  }
}

/// What lies on this machine's disk beside the file.
void check_programs(Schema& schema, const jobs::JobSettings& jobs) {
  if (auto why = jobs::why_not_startable(jobs.transcoder)) schema.reject("jobs.transcoder", *why);
  if (!jobs.transcoder_config.empty() && access(jobs.transcoder_config.c_str(), R_OK) != 0) {
    schema.reject("jobs.transcoder_config",
                  "is \"" + jobs.transcoder_config + "\", which cannot be read: " +
                      std::strerror(errno) + "; give a file like conf/transcoder.toml, or \"\"");
  }
}

void describe_and_look(Schema& schema, Settings& into) {
  describe(schema, into);
  check_programs(schema, into.jobs);
}

}  // namespace

void describe(Schema& schema, Settings& into) {
  schema.text("origin.listen", into.listen, "media, API and console");
  schema.text("origin.admin", into.admin, "metrics and health; keep it private");
  schema.count("origin.threads", into.threads, "0: one a core", {0, 256});
  schema.text("origin.path", into.path, "folder of everything that must survive a restart");
  schema.text("log.level", into.log_level, "the least important line that is written",
              {"debug", "info", "warn", "error"});
  schema.text("log.format", into.log_format, "key=value text or JSON", {"text", "json"});
  describe_uploads(schema, into.uploads);
  schema.texts("edges.admin", into.edges_admin,
               "admin addresses of all edges; deletions and new versions are announced there");
  check_edges(schema, into.edges_admin);
  describe_jobs(schema, into.jobs);
  describe_live(schema, into.live);
  schema.tables<TenantSettings>("tenants", into.tenants, describe_tenant,
                                "a rights-holder and its keys");
  check_tenants(schema, into.tenants);
}

Result<Settings> load(const std::string& path) {
  return load_settings<Settings>(path, describe_and_look);
}

unsigned thread_count(const Settings& settings) {
  if (settings.threads > 0) return static_cast<unsigned>(settings.threads);
  return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace relay::origin
