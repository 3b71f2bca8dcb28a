#include "origin/live_delivery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "origin/media_headers.hpp"

namespace relay::origin {

using live::View;

namespace {

/// Of blocking reloads and of parts, in target durations (8216bis 6.2.5.2).
constexpr std::int64_t wait_targets = 3;
/// How long the answer to a blocking reload may be kept: it belongs to its query.
constexpr std::int64_t blocking_answer_targets = 6;

std::chrono::seconds wait_max(const View& view) {
  return std::chrono::seconds(wait_targets * view.window.target_duration_s);
}

std::unexpected<Error> gone() {
  return fail(ErrorKind::not_found, ErrorSource::client, "the channel is not there any more");
}

std::unexpected<Error> too_long() {
  return fail(ErrorKind::unavailable, ErrorSource::internal,
              "what was asked for has not come in time", true);
}

std::string lifetime_of(const View& view, bool blocking) {
  if (view.window.ended) return std::string(lifetime_ended);
  if (!blocking) return std::string(lifetime_live);
  return fmt::format("public, max-age={}, must-revalidate",
                     blocking_answer_targets * view.window.target_duration_s);
}

LiveDelivery::Playlist answer_of(const View& view, const media::LiveDirectives& directives) {
  bool delta = directives.skip && !view.window.ended;
  std::string text = delta ? media::write_delta(view.window) : media::write(view.window);
  return {{std::move(text), view.modified, view.window.ended},
          lifetime_of(view, directives.segment.has_value())};
}

media::LiveTargets targets_of(const media::LiveWindow& window) {
  return {window.target_duration_s, window.part_target_ms};
}

std::shared_ptr<live::Rendition> rendition_of(const std::shared_ptr<live::Channel>& channel,
                                              const media::MediaPath& path) {
  if (!channel || channel->record()->job.version != path.version) return nullptr;
  return channel->rendition(path.rendition);
}

bool has_whole(const View& view) {
  return !view.is_empty() && view.window.segments.front().complete;
}

/// A channel's first playlist has a segment: players that are handed one with parts alone give up
/// (ffmpeg at once, hls.js after seconds, in either mode). Who names a segment has one already.
bool may_be_shown(const View& view, const media::LiveDirectives& directives) {
  return directives.segment ? !view.is_empty() : has_whole(view);
}

LiveDelivery::Whole whole_of(const View& view, const LiveDelivery::Pictures& of,
                             const media::LiveDirectives& directives) {
  bool are_sheets = of.rendition->name == media::thumbnails_name;
  return {are_sheets ? media::sheets_of(view.window, of.setup) : media::whole_of(view.window),
          view.modified, lifetime_of(view, directives.segment.has_value()), directives.skip};
}

}  // namespace

std::shared_ptr<live::Rendition> LiveDelivery::find(const media::MediaPath& path) const {
  return rendition_of(channels_.find(path.tenant, path.asset), path);
}

std::shared_ptr<live::Rendition> LiveDelivery::find_with_parts(const media::MediaPath& path) const {
  return rendition_of(channels_.find_with_parts(path.tenant, path.asset), path);
}

net::Task<Result<LiveDelivery::Playlist>> LiveDelivery::playlist(
    std::shared_ptr<live::Rendition> rendition, std::string query) {
  auto directives = media::read_live_directives(query);
  if (!directives) co_return std::unexpected(directives.error());
  SteadyTime begun = steady_now();
  while (true) {
    std::uint64_t seen = rendition->changed.version();
    if (rendition->closed) co_return gone();
    auto view = rendition->view.load();
    media::LiveJudgement judged{media::LiveReadiness::wait, ""};  // for the first segment of all
    if (may_be_shown(*view, *directives))
      judged = judge(*directives, view->next, view->window.ended, targets_of(view->window));
    if (judged.readiness == media::LiveReadiness::never) co_return bad_input(judged.reason);
    if (judged.readiness == media::LiveReadiness::ready) co_return answer_of(*view, *directives);
    if (steady_now() - begun >= wait_max(*view)) co_return too_long();
    co_await rendition->changed.wait(seen);
  }
}

std::optional<LiveDelivery::Pictures> LiveDelivery::pictures(const media::MediaPath& path) const {
  auto rendition = find(path);
  auto channel = channels_.find(path.tenant, path.asset);
  if (!rendition || !channel) return std::nullopt;
  auto record = channel->record();
  const auto& setup = record->job.live->setup;
  if (!setup) return std::nullopt;
  if (path.rendition == media::thumbnails_name) return Pictures{std::move(rendition), *setup, 1};
  auto is_it = [&](const auto& each) { return each.name == path.rendition && each.video; };
  if (path.kind != media::MediaKind::i_frames || !std::ranges::any_of(setup->renditions, is_it))
    return std::nullopt;
  return Pictures{std::move(rendition), *setup, setup->segment_frames / setup->group_frames};
}

net::Task<Result<std::optional<LiveDelivery::Whole>>> LiveDelivery::whole(Pictures of,
                                                                          std::string query) {
  auto directives = media::read_live_directives(query);
  if (!directives) co_return std::unexpected(directives.error());
  directives->part.reset();  // it has none
  SteadyTime begun = steady_now();
  while (true) {
    std::uint64_t seen = of.rendition->changed.version();
    if (of.rendition->closed) co_return gone();
    auto view = of.rendition->view.load();
    if (view->window.ended) co_return std::nullopt;
    media::LiveJudgement judged{media::LiveReadiness::wait, ""};  // for the first of all
    if (has_whole(*view))
      judged = judge(*directives, {view->next.segment * of.a_segment}, false, {});
    if (judged.readiness == media::LiveReadiness::never) co_return bad_input(judged.reason);
    if (judged.readiness == media::LiveReadiness::ready) co_return whole_of(*view, of, *directives);
    if (steady_now() - begun >= wait_max(*view)) co_return too_long();
    co_await of.rendition->changed.wait(seen);
  }
}

net::Task<Result<LiveDelivery::PartFile>> LiveDelivery::part(
    std::string tenant, std::string asset, std::shared_ptr<live::Rendition> rendition,
    std::int64_t segment, std::int64_t part) const {
  SteadyTime begun = steady_now();
  while (true) {
    std::uint64_t seen = rendition->changed.version();
    if (rendition->closed) co_return gone();
    auto view = rendition->view.load();
    live::PartPlace place = live::find_part(*view, segment, part);
    if (place.found == live::PartFound::never)
      co_return fail(ErrorKind::not_found, ErrorSource::client, "there is no such part");
    auto channel = channels_.find_with_parts(tenant, asset);
    if (!channel) co_return gone();
    if (place.found == live::PartFound::there) {
      auto path = keeper_.media_path(channel->record()->job,
                                     media::segment_object(rendition->name, segment));
      co_return PartFile{
          std::move(path), place.offset, {place.part.bytes, place.part.digest, view->modified}};
    }
    if (steady_now() - begun >= wait_max(*view)) co_return too_long();
    co_await rendition->changed.wait(seen);
  }
}

}  // namespace relay::origin
