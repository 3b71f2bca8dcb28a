// Deadlines for everything that waits on a socket: one timer an io_context, five times a second.
// Far cheaper than a timer an operation, and exact enough. Connections lie in a wheel by when they
// have to be looked at next: ten thousand that say nothing cost nothing until then (looking at each
// at every tick held the others up for a millisecond).
#pragma once

#include <boost/asio/execution_context.hpp>
#include <boost/intrusive/list.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "common/base/clock.hpp"
#include "common/net/timer.hpp"

namespace relay::net {

using AutoUnlink = boost::intrusive::link_mode<boost::intrusive::auto_unlink>;

class Watchdog;

/// Something with a deadline. All members are used on the io_context's thread only.
class Watched : public boost::intrusive::list_base_hook<AutoUnlink> {
 public:
  virtual ~Watched() = default;
  void arm(std::chrono::milliseconds wait) { arm_until(steady_now() + wait); }
  void arm_until(SteadyTime deadline) {
    deadline_ = deadline;
    if (deadline < looked_at_) look_sooner();
  }
  void disarm() { deadline_ = SteadyTime::max(); }
  /// The deadline passed, or it was given up: end the pending operation (by closing the socket).
  virtual void expire() = 0;
  /// Whether nobody wants it any more, whatever its deadline. Asked at each tick of what is watched
  /// closely, again each time it expired.
  virtual bool given_up() const { return false; }
  /// The program drains: end at once if idle; else after the present exchange.
  virtual void drain() = 0;

 private:
  friend class Watchdog;
  void look_sooner();
  SteadyTime deadline_ = SteadyTime::max();
  SteadyTime looked_at_ =
      SteadyTime::min();  // an earlier deadline wants another place in the wheel
  Watchdog* watchdog_ = nullptr;
};

/// One an io_context: `asio::use_service<Watchdog>(io)`.
class Watchdog : public asio::execution_context::service {
 public:
  static inline asio::execution_context::id id;
  explicit Watchdog(asio::execution_context& context);
  void watch(Watched& watched);
  /// Of the few that may be given up.
  void watch_closely(Watched& watched);
  /// Tells all watched to end and ends the rest when `grace` is over.
  void drain(std::chrono::milliseconds grace);
  bool draining() const { return drain_until_.has_value(); }

 private:
  friend class Watched;
  using List = boost::intrusive::list<Watched, boost::intrusive::constant_time_size<false>>;
  // 100 s: no deadline of a connection is much further away.
  static constexpr std::int64_t slot_count = 512;

  void shutdown() override { timer_.reset(); }
  void place(Watched& watched);
  List& slot_of(std::int64_t tick) { return slots_[static_cast<std::size_t>(tick % slot_count)]; }
  void begin();
  void welcome(Watched& watched);
  void schedule();
  void tick();
  void look_at(Watched& watched, SteadyTime now);
  void look_at_slot(List& slot, SteadyTime now);
  template <class Do>
  void each(const Do& act);
  bool empty() const;

  std::array<List, slot_count> slots_;
  List closely_;
  std::int64_t ticked_ = 0;  // the last one whose slot was looked at
  std::optional<Timer> timer_;
  bool scheduled_ = false;
  std::optional<SteadyTime> drain_until_;
};

}  // namespace relay::net
