// All channels that are open, by tenant and name: for listeners (admit), for readers (find) and for
// the API (open, end, remove).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "origin/live/channel.hpp"
#include "origin/live/stream_key.hpp"

namespace relay::origin::live {

/// not_found, for who asks something of a channel that is not open.
std::unexpected<Error> no_open_channel(std::string_view asset);

class Channels {
 public:
  /// Everything that the parts refer to outlives it.
  Channels(net::Blocking& blocking, Keeper& keeper, jobs::Desk& desk, Metrics& metrics,
           const LiveSettings& settings, const jobs::JobSettings& jobs);
  /// Before the first request: all channels live on this worker.
  void start(net::asio::io_context& io);

  /// Any thread. A publisher wants in. Errors: denied (no such channel, or not its key: which of
  /// them is not told), conflict (the slot is busy), unavailable (the channel has just ended).
  Result<std::unique_ptr<Feed>> admit(const StreamKey& key, media::FeedFormat format) const;
  /// Any thread. nullptr: no channel of that name is open.
  std::shared_ptr<Channel> find(std::string_view tenant, std::string_view asset) const;
  /// Any thread. The same, and for a while one that has ended: its parts can still be had.
  std::shared_ptr<Channel> find_with_parts(std::string_view tenant, std::string_view asset) const;
  const LiveSettings& settings() const { return settings_; }

  /// The thread of all that follows; see net::run_on().
  net::asio::io_context& io() const { return *io_; }
  /// A channel that is saved already: a new one, or one that an earlier run left open with what it
  /// had kept.
  void add(ChannelRecord record, std::map<std::string, std::vector<Segment>> kept);
  /// What an earlier run had not forgotten yet of a channel that has ended.
  void forget_later(Leftovers::Segments segments, std::chrono::milliseconds after) {
    leftovers_.add(steady_now() + after, std::move(segments));
  }
  /// Whether one more may be open (unavailable).
  Result<void> allow_one_more() const;
  /// add() of a new one, for net::run_on().
  net::Task<Result<void>> open(ChannelRecord record);
  /// The members below fail with not_found when it is not open.
  /// See Channel::change().
  net::Task<Result<void>> change(std::string tenant, std::string asset, ChannelWishes wishes,
                                 std::string key_sha256);
  net::Task<Result<void>> end(std::string tenant, std::string asset);
  net::Task<Result<void>> remove(std::string tenant, std::string asset);

  /// Keeps the channels' time until stop().
  net::Task<void> run();
  /// Transcoders end, and whoever waits is let go.
  void stop();
  /// When the worker has ended, before its io_context goes: what is bound to that goes too.
  void release();

 private:
  using Name = std::pair<std::string, std::string>;
  using Map = std::map<Name, std::shared_ptr<Channel>>;
  ChannelParts parts();
  void replace(const std::string& tenant, const std::string& asset,
               std::shared_ptr<Channel> channel);
  void keep_parts(const std::string& tenant, const std::string& asset,
                  std::shared_ptr<Channel> channel);
  void let_parts_go(SteadyTime now);
  void forget_leftovers(SteadyTime now);
  static net::Task<void> forget(net::Blocking& blocking, Keeper& keeper,
                                Leftovers::Segments segments);

  net::asio::io_context* io_ = nullptr;
  net::Blocking& blocking_;
  net::Blocking writing_;
  Keeper& keeper_;
  jobs::Desk& desk_;
  const LiveSettings settings_;
  const jobs::JobSettings jobs_;
  LiveCounters counters_;
  Gauge& open_now_;
  SharedValue<const Map> channels_{std::make_shared<const Map>()};  // replaced on the first worker
  struct Ended {
    std::shared_ptr<Channel> channel;
    SteadyTime until;
  };
  using EndedMap = std::map<Name, Ended>;
  SharedValue<const EndedMap> ended_{std::make_shared<const EndedMap>()};  // likewise
  Leftovers leftovers_;
  std::optional<net::Timer> ticker_;
  bool stopping_ = false;
};

}  // namespace relay::origin::live
