#include "origin/uploads.hpp"

#include <boost/json.hpp>
#include <random>
#include <utility>

#include "common/base/log.hpp"
#include "common/http/json_text.hpp"
#include "common/http/problem.hpp"
#include "origin/jobs/supervisor.hpp"

namespace relay::origin {
namespace {

std::uint32_t chance() {
  thread_local std::random_device device;
  return device();
}

media::Job job_of(const Asset& asset) {
  media::Job job;
  job.kind = asset.kind == AssetKind::video ? media::JobKind::video : media::JobKind::photo;
  job.tenant = asset.tenant;
  job.asset = asset.name;
  job.version = asset.newest_version;
  job.source_bytes = asset.bytes;
  return job;
}

int status_of(Acceptance acceptance) {
  switch (acceptance) {
    case Acceptance::created:
      return 201;
    case Acceptance::replaced:
      return 202;
    case Acceptance::unchanged:
      break;
  }
  return 200;
}

}  // namespace

/// One upload that runs: counted, and shown as receiving when its asset is new.
class Uploads::Slot {
 public:
  Slot(Uploads& uploads, const Request& request, const http::BodyFraming& body)
      : uploads_(uploads), key_(asset_key(request.tenant, request.asset)) {
    taken_ = uploads_.slots_taken_.fetch_add(1) < uploads_.settings_.concurrent_max;
    uploads_.running_.add(1);
    Asset asset;
    asset.tenant = request.tenant;
    asset.name = request.asset;
    asset.kind = request.kind;
    asset.state = AssetState::receiving;
    asset.title = request.labels.title.value_or("");
    asset.tags = request.labels.tags.value_or(std::vector<std::string>());
    asset.created = asset.updated = wall_now();
    Incoming incoming{std::move(asset), std::nullopt};
    if (body.kind == http::BodyKind::length) incoming.bytes_expected = body.length;
    std::lock_guard lock(uploads_.mutex_);
    if (taken_) uploads_.receiving_.insert_or_assign(key_, std::move(incoming));
  }
  Slot(const Slot&) = delete;
  ~Slot() {
    uploads_.slots_taken_.fetch_sub(1);
    uploads_.running_.add(-1);
    std::lock_guard lock(uploads_.mutex_);
    if (taken_) uploads_.receiving_.erase(key_);
  }
  bool taken() const { return taken_; }
  void add(std::size_t bytes) {
    uploads_.bytes_.add(bytes);
    std::lock_guard lock(uploads_.mutex_);
    auto at = uploads_.receiving_.find(key_);
    if (at != uploads_.receiving_.end()) at->second.asset.bytes += bytes;
  }

 private:
  Uploads& uploads_;
  const std::string key_;
  bool taken_ = false;
};

Uploads::Uploads(Catalog& catalog, SegmentStore& store, Announcer& announcer,
                 net::Blocking& blocking, Metrics& metrics, UploadSettings settings)
    : catalog_(catalog),
      store_(store),
      announcer_(announcer),
      blocking_(blocking),
      settings_(settings),
      bytes_(metrics.counter("origin_upload_bytes_total", "Bytes of sources received.")),
      accepted_(
          metrics.counter("origin_uploads_total", "Uploads, by outcome.", "outcome=\"accepted\"")),
      refused_(
          metrics.counter("origin_uploads_total", "Uploads, by outcome.", "outcome=\"refused\"")),
      running_(metrics.gauge("origin_uploads_running", "Uploads on their way.")) {
}

net::Task<void> Uploads::put(net::Exchange& exchange, Request request) {
  auto accepted = co_await take(exchange, request);
  if (!accepted) {
    refused_.add();
    log::info("upload refused", {log::kv("tenant", request.tenant), log::kv("asset", request.asset),
                                 log::kv("why", accepted.error().message)});
    co_await exchange.respond(http::problem_of(accepted.error()));
    co_return;
  }
  accepted_.add();
  const Asset& asset = accepted->asset;
  log::info("upload stored",
            {log::kv("tenant", asset.tenant), log::kv("asset", asset.name),
             log::kv("version", asset.newest_version), log::kv("bytes", asset.bytes),
             log::kv("unchanged", accepted->acceptance == Acceptance::unchanged)});
  http::Response response{status_of(accepted->acceptance), {}, ""};
  response.headers.add("Content-Type", "application/json");
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("Location", "/api/v1/" + asset.tenant + "/assets/" + asset.name);
  response.body = http::json_text(catalog_.document(asset)) + "\n";
  co_await exchange.respond(std::move(response));
}

net::Task<Result<Accepted>> Uploads::take(net::Exchange& exchange, const Request& request) {
  Slot slot(*this, request, exchange.request().body);
  if (!slot.taken()) {
    co_return fail(ErrorKind::unavailable, ErrorSource::internal,
                   "too many uploads are running; try again soon", true);
  }
  if (auto fits = check_name(request); !fits) co_return std::unexpected(fits.error());
  intake::UploadLimits limits{settings_.size_max, settings_.free_space_min,
                              [this] { return store_.free_bytes(); }};
  std::function<void(std::size_t)> count = [&slot](std::size_t bytes) { slot.add(bytes); };
  auto received = co_await intake::receive(exchange, store_.incoming(), std::move(limits),
                                           blocking_, std::move(count));
  if (!received) co_return std::unexpected(received.error());
  auto job = [&] { return commit(request, *received); };
  co_return co_await net::run_blocking(blocking_, job);
}

/// What can be refused before the first byte is read.
Result<void> Uploads::check_name(const Request& request) const {
  auto old = catalog_.asset(request.tenant, request.asset);
  if (!old) return std::unexpected(old.error());
  if (!*old || (*old)->kind == request.kind) return {};
  return fail(ErrorKind::conflict, ErrorSource::client,
              "'" + request.asset + "' is a " + name((*old)->kind) +
                  "; delete it first to publish a " + name(request.kind) + " under this name");
}

Result<Accepted> Uploads::commit(const Request& request, intake::Received& received) {
  NewSource source;
  source.tenant = request.tenant;
  source.asset = request.asset;
  source.version = version_name(wall_now(), chance());
  source.kind = request.kind;
  source.title = request.labels.title;
  source.tags = request.labels.tags;
  source.sha256 = received.sha256;
  source.bytes = received.bytes;
  auto adopted =
      store_.adopt_source(received.file.path(), source.tenant, source.asset, source.version);
  if (!adopted) return std::unexpected(adopted.error());
  received.file.release();
  auto accepted = catalog_.accept(source);
  if (accepted && accepted->acceptance != Acceptance::unchanged) {
    hand_over(*accepted);
    return accepted;
  }
  bool labelled = request.labels.title || request.labels.tags;
  if (accepted && labelled) announcer_.relabelled(source.tenant, source.asset);
  auto removed = store_.remove_source(source.tenant, source.asset, source.version);
  if (!removed) log::warn("a source stays behind", {log::kv("why", removed.error().message)});
  return accepted;
}

void Uploads::hand_over(const Accepted& accepted) {
  const Asset& asset = accepted.asset;
  if (!accepted.superseded_version.empty()) {
    supervisor_->cancel(asset.tenant, asset.name, accepted.superseded_version);
  }
  supervisor_->submit(job_of(asset));
}

media::Progress Uploads::Incoming::progress() const {
  if (!bytes_expected || *bytes_expected == 0) return {0, "receiving"};
  return {static_cast<double>(asset.bytes) / static_cast<double>(*bytes_expected), "receiving"};
}

std::optional<Uploads::Incoming> Uploads::receiving(std::string_view tenant,
                                                    std::string_view asset) const {
  std::lock_guard lock(mutex_);
  auto at = receiving_.find(asset_key(tenant, asset));
  if (at == receiving_.end()) return std::nullopt;
  return at->second;
}

}  // namespace relay::origin
