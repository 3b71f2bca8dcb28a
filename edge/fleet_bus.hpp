// Keeps an edge on the fleet's bus (edge/bus): registers it, follows who else is there, which
// purges are kept there (edge/purge_stream) and what it says for all edges (edge/fleet_settings),
// and hands that over. All on one thread of its own, in rounds: one each beat, and one at once when
// the bus rings. A round that fails ends the session, and the next begins a new one; meanwhile
// everything stays as it was last seen.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "common/base/metrics.hpp"
#include "edge/bus/roster.hpp"
#include "edge/bus/session.hpp"
#include "edge/fleet_settings.hpp"
#include "edge/purge_stream.hpp"
#include "edge/settings.hpp"

namespace relay::edge {

/// The members that an edge with a bus begins with: as last seen there (kept in `folder`), or as
/// the config has them; this edge always as the config has it.
std::vector<fleet::Member> members_to_begin_with(const Settings& settings,
                                                 const std::filesystem::path& folder);

/// How an edge with these settings reaches its bus. Messages there `ring`.
bus::Session::Options session_options(const Settings& settings, std::function<void()> ring);

class FleetBus {
 public:
  /// Called on the bus's thread.
  struct Hooks {
    /// A new view of the fleet.
    std::function<void(const bus::View&)> follow;
    /// The bus has this edge's own purges up to `stamp`; the view that was handed over last is from
    /// after that (bus::Roster::standings).
    std::function<void(std::uint64_t stamp, std::vector<bus::Standing> standings)> kept;
  };
  FleetBus(const Settings& settings, std::filesystem::path folder, PurgeStream& purges,
           FleetSettings& fleet_settings, Hooks hooks, Metrics& metrics);
  /// Leaves the fleet, and ends the thread.
  ~FleetBus();

  /// Begins, and waits for the first answer or refusal of the bus; at most start_wait.
  void start();
  static constexpr std::chrono::milliseconds start_wait{3'000};

  /// There is something for the bus. Whether it answers. Any thread.
  bool ring();
  /// For how long this edge may do with what it knew of the fleet when the bus went: less than what
  /// the others need to forget it.
  static std::chrono::milliseconds outage_max(std::chrono::milliseconds ttl);

  /// From now on it registers like this. Any thread.
  void set_self(fleet::Member self);
  /// It goes on as a member that drains. Any thread.
  void drain();

  struct State {
    bool connected = false;
    std::string address;  // without secrets
    std::uint64_t members = 0, lost = 0;
    std::uint64_t old_views = 0;  // members that may not know all others
    std::uint64_t sequence = 0;   // of the purges, as taken
    std::string trouble;          // why it is not connected
    FleetSettings::State settings;
  };
  State state() const;

 private:
  void run();
  bool wait(std::chrono::milliseconds time);
  Result<void> connect();
  Result<void> round();
  Result<void> follow_members(SteadyTime now);
  Result<void> follow_purges();
  void tell_kept();
  void lose(const Error& error);
  Result<void> renew(SteadyTime now);
  Result<void> read_members(SteadyTime now);
  Result<void> read_changes(std::uint64_t from, std::uint64_t to, SteadyTime now);
  Result<void> read_all_members(SteadyTime now);
  void take(const bus::Message& message, bus::Age age, SteadyTime now);
  void publish_view(SteadyTime now);
  void leave();

  const bus::Session::Options options_;
  const std::string address_, own_key_;
  const std::chrono::milliseconds ttl_, beat_;
  const std::filesystem::path folder_;
  PurgeStream& purges_;
  FleetSettings& fleet_settings_;
  const Hooks hooks_;
  Gauge& connected_;
  Counter& connects_;
  Counter& rejected_;

  // Of the thread alone.
  std::unique_ptr<bus::Session> session_;
  SteadyTime last_round_{}, last_beat_{};
  SteadyTime renewed_at_{};
  std::uint64_t own_sequence_ = 0;
  bus::StreamState members_seen_;
  std::int64_t clock_ns_ = 0;  // of the server, at clock_at_
  SteadyTime clock_at_{};
  SteadyTime looked_at_{};  // at the members, in this session
  bus::View view_;
  bool said_lost_ = false, said_doubled_ = false;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bus::Roster roster_;
  State state_;
  fleet::Member self_;
  bool rung_ = false, stopping_ = false, tried_ = false, self_changed_ = false;

  std::thread thread_;  // last: it uses the others
};

}  // namespace relay::edge
