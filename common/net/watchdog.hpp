// Deadlines for everything that waits on a socket: one timer an io_context looks at all watched
// connections a few times a second. Far cheaper than a timer an operation, and exact enough.
#pragma once

#include <boost/asio/execution_context.hpp>
#include <boost/intrusive/list.hpp>

#include <chrono>
#include <optional>

#include "common/base/clock.hpp"
#include "common/net/timer.hpp"

namespace relay::net {

using AutoUnlink = boost::intrusive::link_mode<boost::intrusive::auto_unlink>;

/// Something with a deadline. All members are used on the io_context's thread only.
class Watched : public boost::intrusive::list_base_hook<AutoUnlink> {
 public:
  virtual ~Watched() = default;
  void arm(std::chrono::milliseconds wait) { deadline_ = steady_now() + wait; }
  void arm_until(SteadyTime deadline) { deadline_ = deadline; }
  void disarm() { deadline_ = SteadyTime::max(); }
  /// The deadline passed, or it was given up: end the pending operation (by closing the socket).
  virtual void expire() = 0;
  /// Whether nobody wants it any more, whatever its deadline. Asked again each time it expired.
  virtual bool given_up() const { return false; }
  /// The program drains: end at once if idle; else after the present exchange.
  virtual void drain() = 0;

 private:
  friend class Watchdog;
  SteadyTime deadline_ = SteadyTime::max();
};

/// One an io_context: `asio::use_service<Watchdog>(io)`.
class Watchdog : public asio::execution_context::service {
 public:
  static inline asio::execution_context::id id;
  explicit Watchdog(asio::execution_context& context);
  void watch(Watched& watched);
  /// Tells all watched to end and ends the rest when `grace` is over.
  void drain(std::chrono::milliseconds grace);
  bool draining() const { return drain_until_.has_value(); }

 private:
  void shutdown() override { timer_.reset(); }
  void schedule();
  void tick();
  using List = boost::intrusive::list<Watched, boost::intrusive::constant_time_size<false>>;
  List list_;
  std::optional<Timer> timer_;
  bool scheduled_ = false;
  std::optional<SteadyTime> drain_until_;
};

}  // namespace relay::net
