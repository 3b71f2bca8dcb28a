// Requests that the cache has no answer to: forwarded as they are, answered as they come. What may
// change something upstream makes the stored copy invalid (RFC 9111 4.4), and a few answers are
// kept as they pass (edge/keep).
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "edge/absences.hpp"
#include "edge/change_counts.hpp"
#include "edge/deliver.hpp"
#include "edge/keep.hpp"
#include "edge/purge_log.hpp"
#include "edge/purge_sweep.hpp"
#include "edge/settings.hpp"
#include "edge/upstream.hpp"
#include "edge/visit.hpp"

namespace relay::edge {

/// A request body is held in memory while it is forwarded; uploads go to the origin itself.
inline constexpr std::size_t passed_body_bytes_max = 1 << 20;

class Pass {
 public:
  Pass(const Settings& settings, cache::Cache& cache, Absences& absences, FlightTable& flights,
       PurgeLog& purges, ChangeCounts& changes, PurgeSweep& purge_sweep, Upstream& upstream,
       Deliver& deliver)
      : settings_(settings),
        cache_(cache),
        absences_(absences),
        flights_(flights),
        purges_(purges),
        changes_(changes),
        purge_sweep_(purge_sweep),
        upstream_(upstream),
        deliver_(deliver) {}

  net::Task<void> forward(Visit& visit);
  /// A HEAD for a stored response that cannot be validated otherwise; its answer refreshes that, or
  /// shows that it is another by now (RFC 9111 4.3.5).
  net::Task<void> forward_head(Visit& visit, cache::Pin object, StoredPtr stored);
  /// Sends an answer on as it arrives; a body that breaks off, or is not what its Repr-Digest
  /// promised, resets the client's connection.
  net::Task<void> hand_on(Visit& visit, Answered answered);
  /// 502 or 504, as the error says.
  net::Task<void> refuse(Visit& visit, const Error& error);
  /// Makes what is stored or under way for a primary key invalid, its variants too. Any thread.
  void invalidate(const std::string& primary);
  /// Who hears of what this edge saw changed at the origin; `asker` is the CDN-Loop entry of the
  /// member that the request came from, who hears of it by the answer. Before the server runs.
  using OnChange = std::function<void(std::vector<std::string> keys, std::string asker)>;
  void set_on_change(OnChange on_change) { on_change_ = std::move(on_change); }

 private:
  /// How things stood when an answer was asked for: what changed since makes it invalid.
  struct Begun {
    std::uint64_t purge_sequence = 0;
    std::uint32_t changes = 0;
  };
  /// Nothing when the client was told already that there is no answer.
  net::Task<std::optional<Answered>> ask(Visit& visit);
  net::Task<void> send_on(Visit& visit, Answered answered, std::optional<Keep> keep, Begun begun);
  net::Task<void> send_body(Visit& visit, Answered answered, std::optional<Keep> keep, Begun begun);
  void invalidate(const Visit& visit, const Answered& answered);
  void note_shareable(const Visit& visit, const Answered& answered);
  std::optional<Keep> keep_of(const Visit& visit, const Answered& answered, Begun begun) const;
  net::Task<void> store(Keep keep, std::string primary, Begun begun);

  const Settings& settings_;
  cache::Cache& cache_;
  Absences& absences_;
  FlightTable& flights_;
  PurgeLog& purges_;
  ChangeCounts& changes_;
  PurgeSweep& purge_sweep_;
  Upstream& upstream_;
  Deliver& deliver_;
  OnChange on_change_;  // empty: nobody
};

}  // namespace relay::edge
