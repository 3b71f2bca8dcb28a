// Carries purges through the fleet. To each other member goes a line, one letter at a time: with
// the purges that this edge took and that member has not confirmed, and each fifth of a lease
// without any; the answer brings what the member knows and this edge lacks. So a purge is told to
// all at once, and whoever was down or cut off asks for what it missed as soon as it is back.
//
// Lives on one worker, but for the answers to other members' letters, which any worker gives.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "common/base/metrics.hpp"
#include "common/net/blocking.hpp"
#include "common/net/client.hpp"
#include "edge/fleet/members.hpp"
#include "edge/fleet/peer_key.hpp"
#include "edge/fleet/trust.hpp"
#include "edge/peer_desk.hpp"
#include "edge/purge_letter.hpp"
#include "edge/purge_receipts.hpp"
#include "edge/purger.hpp"

namespace relay::edge {

/// Where members take one another's letters, on the port of viewers.
inline constexpr std::string_view purges_target = "/-/purges";

class PurgeSpread final : public PeerDesk {
 public:
  /// Everything outlives the io_context, `io` is a worker of the server.
  PurgeSpread(net::asio::io_context& io, fleet::Members& members, fleet::Trust& trust,
              const fleet::PeerKey& key, Purger& purger, PurgeHistory& history,
              net::Blocking& blocking, Metrics& metrics);
  ~PurgeSpread() override;

  /// On the worker, or before it runs: begin; follow a new configuration of the members; end.
  void start();
  void follow_members();
  void stop();

  /// There is a bus, to be woken when there is a purge to be kept; `wake` says whether it answers.
  /// Before the worker runs.
  void use_bus(std::function<bool()> wake);
  /// In the place of follow_members() with a bus. The trust is told by the caller.
  void follow(std::span<const fleet::Member> members);
  /// The bus's stream has this edge's own purges up to `stamp`; see PurgeReceipts. All members as
  /// of a look at the bus after that are followed.
  void note_streamed(std::uint64_t stamp, const std::vector<bus::Standing>& standings);

  /// Carried out here, told to all, and answered when no member can serve what it named any more,
  /// or when that cannot be known within a lease. On the worker.
  struct Outcome {
    Purger::Purged here;
    std::vector<Receipt> receipts;
    bool settled = false;
    bool kept = false;  // by the bus, if there is one
  };
  net::Task<Result<Outcome>> purge(Purge purge);

  /// A member's letter. On any worker.
  net::Task<http::Response> answer(net::Exchange& exchange) override;

  /// Whether this edge has asked around since its start: it was told what it missed, or there is
  /// no majority to tell it, and it serves by asking upstream.
  bool ready(SteadyTime now) const;
  /// Whether a majority has told lately what was purged.
  bool trusts(SteadyTime now) const { return trust_.holds(now); }

 private:
  struct Line;
  struct Waiting;
  net::Task<void> run(std::shared_ptr<Line> line);
  net::Task<Result<PurgeLetter>> write(const Line& line, PurgeNews news);
  net::Task<bool> exchange_letters(Line& line);
  net::Task<void> pause(Line& line);
  void wake(Line& line);
  void hear(const std::string& member, std::uint64_t reached,
            const std::optional<PurgeReceipts::Lent>& lent);
  void confirm(Line& line, std::uint64_t reached, PurgeReceipts::Lent lent);
  net::Task<Result<void>> take(const PurgeNews& news);
  void note_streamed(Waiting& waiting);
  std::chrono::milliseconds patience() const;
  void note_trust();
  Result<void> check_writer(const net::Exchange& exchange, const std::string& body) const;

  net::asio::io_context& io_;
  net::Client client_;
  fleet::Members& members_;
  fleet::Trust& trust_;
  const fleet::PeerKey& key_;
  Purger& purger_;
  PurgeHistory& history_;
  net::Blocking& blocking_;
  Counter& told_;
  Counter& failed_;
  Gauge& trusting_;
  const SteadyTime begun_;
  std::function<bool()> wake_bus_;  // empty: there is none
  std::uint64_t streamed_ = 0;      // as note_streamed() said last
  std::vector<bus::Standing> standings_;
  bool trusted_ = true;  // as last logged
  std::atomic<bool> stopping_{false};
  std::vector<std::shared_ptr<Line>> lines_;
  std::vector<std::shared_ptr<Waiting>> waiting_;
};

}  // namespace relay::edge
