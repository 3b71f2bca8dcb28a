#include "origin/clip_growth.hpp"

#include <algorithm>
#include <utility>

#include "common/base/log.hpp"
#include "common/net/timer.hpp"
#include "origin/clip/growth.hpp"
#include "origin/clip_source.hpp"

namespace relay::origin {
namespace {

std::int64_t end_date_us(const ClipFacts& facts) {
  return facts.start_date_us.value_or(0) + facts.end_us - facts.start_us;
}

/// EXT-X-START is written and never read.
void set_start(clip::MediaPlaylists& playlists, std::int64_t lead_in_us) {
  if (lead_in_us == 0) return;
  for (auto& [rendition, playlist] : playlists)
    if (playlist.contents == media::Contents::whole) playlist.start_us = lead_in_us;
}

/// What became of a clip, up to this Unix time (0: nothing more): what did not come was not asked
/// for.
void note_end(NewClip& clip, std::int64_t begin_us, std::int64_t reached_us) {
  if (reached_us == 0) return;
  clip.duration_ms = (reached_us - begin_us) / 1000;
  std::int64_t missing_us = end_date_us(clip.facts) - reached_us;
  if (clip.is_whole && missing_us > 0) clip.facts.end_us -= missing_us;
}

void tell_failure(const ClipName& name, const Error& error) {
  log::error("a clip cannot grow now",
             {log::kv("tenant", name.tenant), log::kv("asset", name.asset),
              log::kv("why", error.message)});
}

// A disk that is full, say, may have room again; a clip that stays open keeps its viewers waiting.
constexpr std::chrono::seconds failure_pause{1};
constexpr int failures_max = 600;  // in a row

}  // namespace

void ClipGrowth::follow(const Asset& clip) {
  net::spawn(io_, run({clip.tenant, clip.name, clip.current_version}, clip.clip->lead_in_us));
}

net::Task<void> ClipGrowth::run(ClipName name, std::int64_t lead_in_us) {
  SteadyTime begun = steady_now();
  net::Timer timer(io_);
  for (int failures = 0;;) {
    auto look_now = [&] { return grow(name, begun, lead_in_us); };
    auto look = co_await net::run_blocking(blocking_, look_now);
    if (!look) {
      const Error& error = look.error();
      // What changed between looking and committing is looked at again; what is gone is not.
      if (error.kind == ErrorKind::not_found && !error.retry) co_return;
      if (!error.retry) tell_failure(name, error);
      if (++failures > failures_max) co_return;
      timer.expires_after(failure_pause);
      co_await timer.async_wait(net::use_result);
      continue;
    }
    failures = 0;
    if (look->is_whole) on_whole_(look->clip);
    if (look->is_whole || !look->lead) co_return;
    co_await look->lead->changed.wait(look->lead_seen);
  }
}

Result<ClipGrowth::Look> ClipGrowth::grow(const ClipName& name, SteadyTime begun,
                                          std::int64_t lead_in_us) {
  auto asset = catalog_.asset(name.tenant, name.asset);
  if (!asset) return std::unexpected(asset.error());
  bool grows = *asset && is_growing(**asset) && (*asset)->current_version == name.version;
  if (!grows) return Look{};
  const ClipFacts& facts = *(*asset)->clip;
  auto from = read_clip_source(catalog_, channels_, name.tenant, facts.from);
  if (!from) return std::unexpected(from.error());
  if (from->lead && from->lead->closed) return Look{};  // the next run of the origin ends it
  auto playlists = media_playlists_of(catalog_, name.tenant, name.asset, name.version);
  if (!playlists) return std::unexpected(playlists.error());
  std::chrono::seconds wait_max((ahead_targets + 2) * from->source.target_duration_s);
  bool is_over = !from->source.growing || steady_now() - begun > wait_max;
  auto growth = clip::grow(*playlists, from->source, end_date_us(facts));
  bool is_whole = growth.whole || is_over;
  Look look{.is_whole = is_whole, .clip = {}, .lead = from->lead, .lead_seen = from->lead_seen};
  if (!is_whole && !growth.grew) return look;
  if (is_whole) clip::close(*playlists);
  set_start(*playlists, lead_in_us);
  NewClip clip = clip_version(catalog_, name, facts, from->multivariant, *playlists);
  clip.duration_ms = (*asset)->duration_ms;
  note_end(clip, facts.start_date_us.value_or(0) - facts.lead_in_us, growth.end_date_us);
  auto grown = catalog_.grow_clip(clip);
  if (!grown) return std::unexpected(grown.error());
  look.clip = std::move(*grown);
  return look;
}

}  // namespace relay::origin
