// Live playlists as objects that grow, not as blobs: one blocking request upstream for each
// rendition, for a delta update of the version that is held, whatever its viewers ask with
// _HLS_msn, _HLS_part and _HLS_skip, and all of them answered from what it brings (RFC
// 8216bis-22 6.2.5; the rules are in common/media). A playlist never goes back, whatever upstream
// says. The next part is fetched by its preload hint before a viewer asks for it.
//
// A playlist is live here from the first request with a directive on, until nobody has asked for
// some target durations. Everything else goes the ordinary way; but for a playlist of which
// upstream tells nothing viewers wait here too, until it answers again (and it is followed from
// then on, if it is a live one): players give up after few errors. An end that came is shown for
// some seconds more, to whoever waited for something else.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/base/metrics.hpp"
#include "edge/deliver.hpp"
#include "edge/live_playlist.hpp"
#include "edge/prefetch.hpp"
#include "edge/purge_log.hpp"
#include "edge/settings.hpp"
#include "edge/upstream.hpp"
#include "edge/visit.hpp"

namespace relay::edge {

/// Thread-safe; each call works on its visit's own worker.
class LivePlaylists {
 public:
  LivePlaylists(const Settings& settings, Upstream& upstream, const PurgeLog& purges,
                Prefetch& prefetch, const Deliver& deliver, Metrics& metrics);

  /// Whether the request may be for one of these; for the hot path.
  static bool may_be_for(const Visit& visit);
  /// Answers; false: this is no live playlist, or not known to be one: the ordinary way.
  net::Task<bool> serve(Visit& visit);
  /// Whether a viewer may wait for upstream, which gives no answer, to answer again.
  static bool may_be_outlasted(const Visit& visit);
  /// Waits so, and says when it has taken too long. False: it answers, or nobody may wait: the
  /// ordinary way.
  net::Task<bool> outlast(Visit& visit);
  /// Until when the visit may be kept waiting for upstream's first word.
  static SteadyTime waits_until(const Visit& visit);
  /// Tells that upstream says nothing, and to ask again in a moment.
  net::Task<void> refuse_for_now(Visit& visit);
  /// Nothing is followed and nobody waits any more.
  void stop();

 private:
  using Entry = std::shared_ptr<LivePlaylist>;
  using Version = std::shared_ptr<const LiveVersion>;
  Entry want(const Visit& visit, const std::string& key, bool make);
  Entry find_or_make(const Visit& visit, const std::string& key, bool make);
  Version current(const LivePlaylist& entry) const;
  bool is_there(const LivePlaylist& entry, media::LiveDirectives directives) const;
  net::Task<bool> serve_from(Visit& visit, Entry entry, media::LiveDirectives directives);
  net::Task<Version> wait_for(Visit& visit, LivePlaylist& entry, media::LiveDirectives directives);
  net::Task<void> answer(Visit& visit, Version version, media::LiveDirectives directives);
  net::Task<void> refuse(Visit& visit, int status, std::string text, std::int64_t lifetime_s);

  net::Task<void> follow(EdgeWorker& worker, Entry entry);
  enum class Step { went_on, again, over };
  net::Task<Step> ask_once(EdgeWorker& worker, Entry entry);
  net::ClientRequest next_request(const LivePlaylist& entry, const LiveVersion* before,
                                  bool by_delta) const;
  Step take_whole(EdgeWorker& worker, LivePlaylist& entry, const LiveVersion::Arrival& arrival,
                  std::string text);
  Step take_update(EdgeWorker& worker, LivePlaylist& entry, const LiveVersion& before,
                   const LiveVersion::Arrival& arrival, std::string_view text);
  Step take(EdgeWorker& worker, LivePlaylist& entry, Version version);
  net::Task<void> show_end(EdgeWorker& worker, LivePlaylist& entry);
  bool is_wanted(const LivePlaylist& entry) const;
  bool let_go(const Entry& entry, Step last);
  void fetch_hint(EdgeWorker& worker, const LivePlaylist& entry, const LiveVersion& version);

  net::Task<void> watch(EdgeWorker& worker);
  std::vector<Entry> followed_now();
  void look_at(LivePlaylist& entry) const;

  const Settings& settings_;
  Upstream& upstream_;
  const PurgeLog& purges_;
  Prefetch& prefetch_;
  const Deliver& deliver_;
  Gauge& followed_;
  Counter& asked_;
  Counter& versions_;
  Counter& behind_;
  Counter& updates_;
  Counter& misfits_;
  const std::shared_ptr<std::atomic<bool>> stopped_ = std::make_shared<std::atomic<bool>>(false);
  std::atomic<std::size_t> unanswered_{0};  // entries without a version since they were made
  std::mutex mutex_;                        // guards entries_, each of which is followed
  std::unordered_map<std::string, Entry> entries_;
  bool watched_ = false;  // by the one watcher, while there are entries
};

}  // namespace relay::edge
