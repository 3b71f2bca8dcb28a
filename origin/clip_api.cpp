#include "origin/clip_api.hpp"

#include <boost/json.hpp>
#include <utility>

#include "common/base/log.hpp"
#include "common/http/json_text.hpp"
#include "common/http/problem.hpp"
#include "common/media/media_path.hpp"
#include "common/net/whole_body.hpp"
#include "origin/clip/growth.hpp"
#include "origin/clip/playlists.hpp"
#include "origin/clip/sheets.hpp"
#include "origin/clip_version.hpp"

namespace relay::origin {
namespace {

constexpr std::size_t order_bytes_max = 64 * 1024;
/// Whoever marks a goal is ahead of the segment that shows it: so many target durations are waited
/// for its beginning.
constexpr std::int64_t wait_targets = 3;
/// A source that changes between choosing and committing is looked at once more.
constexpr int tries_max = 3;

bool may_come(const Error& error) {
  return error.kind == ErrorKind::conflict && error.retry;
}

ClipFacts facts_of(const ClipSource& from, const clip::Choice& choice, bool exact) {
  ClipFacts facts{from.source.asset,
                  from.source.version,
                  choice.start_us,
                  choice.end_us,
                  choice.start_us - choice.begin_us,
                  {}};
  if (choice.date_us) facts.start_date_us = *choice.date_us + choice.start_us - choice.begin_us;
  bool fits = choice.start_us == choice.begin_us && choice.end_us == choice.finish_us;
  if (exact) facts.exactness = fits ? Exactness::exact : Exactness::pending;
  facts.root = from.asset.clip ? from.asset.clip->root : from.source.asset;
  return facts;
}

}  // namespace

void ClipApi::start(net::asio::io_context& io, jobs::Supervisor& supervisor) {
  supervisor_ = &supervisor;
  growth_.emplace(catalog_, channels_, blocking_, io, [this](const Asset& clip) {
    announcer_.purge(purge_of_url(media::multivariant_path(clip.tenant, clip.name)));
    if (clip.clip->exactness == Exactness::pending) submit(clip);
  });
}

net::Task<void> ClipApi::put(net::Exchange& exchange, std::string tenant, std::string asset) {
  auto body = co_await net::read_whole_body(exchange, order_bytes_max);
  Result<ClipOrder> order = body ? read_clip_order(*body) : std::unexpected(body.error());
  if (!order) {
    co_await exchange.respond(http::problem_of(order.error()));
    co_return;
  }
  auto made = co_await make(tenant, asset, std::move(*order));
  if (!made) {
    co_await exchange.respond(http::problem_of(made.error()));
    co_return;
  }
  log::info("clipped", {log::kv("tenant", tenant), log::kv("asset", asset),
                        log::kv("from", made->asset.clip->from),
                        log::kv("version", made->asset.current_version)});
  announcer_.purge(purge_of_url(media::multivariant_path(tenant, asset)));
  hand_over(*made);
  auto remove = [&] {
    remove_superseded(*made);
    return true;
  };
  if (!made->released.empty() || !made->superseded_version.empty())
    co_await net::run_blocking(blocking_, remove);
  http::Response response{made->is_new ? 201 : 200, {}, ""};
  response.headers.add("Content-Type", "application/json");
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("Location", "/api/v1/" + tenant + "/assets/" + asset);
  response.body = http::json_text(catalog_.document(made->asset)) + "\n";
  co_await exchange.respond(std::move(response));
}

void ClipApi::hand_over(const MadeClip& made) {
  const Asset& clip = made.asset;
  if (!made.superseded_version.empty())
    supervisor_->cancel(clip.tenant, clip.name, made.superseded_version);
  if (is_growing(clip)) return growth_->follow(clip);
  if (clip.clip->exactness == Exactness::pending) submit(clip);
}

void ClipApi::submit(const Asset& clip) {
  media::Job job{.kind = media::JobKind::edges};
  job.tenant = clip.tenant;
  job.asset = clip.name;
  job.version = clip.newest_version;
  supervisor_->submit(std::move(job));
}

void ClipApi::remove_superseded(const MadeClip& made) {
  store_.remove_released(made.asset.tenant, made.released);
  if (made.superseded_version.empty()) return;
  auto removed = store_.remove_source(made.asset.tenant, made.asset.name, made.superseded_version);
  if (!removed) log::warn("a source stays behind", {log::kv("why", removed.error().message)});
}

net::Task<Result<MadeClip>> ClipApi::make(std::string tenant, std::string asset, ClipOrder order) {
  Result<MadeClip> made = std::unexpected(Error{});
  for (int i = 0; i < tries_max; ++i) {
    auto chosen = co_await choose(tenant, order);
    if (!chosen) co_return std::unexpected(chosen.error());
    auto commit = [&] { return catalog_.make_clip(prepare(tenant, asset, order, *chosen)); };
    made = co_await net::run_blocking(blocking_, commit);
    if (made || made.error().kind != ErrorKind::not_found) break;
  }
  co_return made;
}

net::Task<Result<ClipApi::Chosen>> ClipApi::choose(std::string tenant, ClipOrder order) {
  SteadyTime begun = steady_now();
  while (true) {
    auto from = read_clip_source(catalog_, channels_, tenant, order.from);
    if (!from) co_return std::unexpected(from.error());
    std::shared_ptr<live::Rendition> lead = from->lead;
    std::uint64_t seen = from->lead_seen;
    auto choice = clip::choose(from->source, order.wish);
    if (choice) co_return Chosen{std::move(*from), std::move(*choice)};
    std::chrono::seconds wait_max(wait_targets * from->source.target_duration_s);
    if (lead && may_come(choice.error())) {
      auto ahead_us_max =
          ClipGrowth::ahead_targets * from->source.target_duration_s * media::us_per_s;
      auto beginning = clip::choose_beginning(from->source, order.wish, ahead_us_max);
      if (beginning) co_return Chosen{std::move(*from), std::move(*beginning), false};
    }
    bool is_over = steady_now() - begun >= wait_max || !lead || lead->closed;
    if (is_over || !may_come(choice.error())) co_return std::unexpected(choice.error());
    co_await lead->changed.wait(seen);
  }
}

NewClip ClipApi::prepare(const std::string& tenant, const std::string& asset,
                         const ClipOrder& order, const Chosen& chosen) const {
  const clip::Source& source = chosen.from.source;
  const clip::Choice& choice = chosen.choice;
  clip::MediaPlaylists playlists;
  for (const clip::Cut& cut : choice.cuts) {
    const clip::SourceRendition& rendition = source.renditions[cut.rendition];
    playlists[rendition.name] = clip::media_playlist(source, choice, cut);
  }
  if (auto sheets = clip::sheet_playlist(source, choice))
    playlists[source.sheets.name] = std::move(*sheets);
  if (!chosen.is_whole) clip::leave_open(playlists);
  NewClip clip =
      clip_version(catalog_, {tenant, asset, new_version()},
                   facts_of(chosen.from, choice, order.exact), chosen.from.multivariant, playlists);
  clip.title = order.labels.title;
  clip.tags = order.labels.tags;
  clip.duration_ms = (choice.finish_us - choice.begin_us) / 1000;
  return clip;
}

}  // namespace relay::origin
