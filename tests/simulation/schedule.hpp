// Threads that take turns. Of all threads of all programs in the world only one runs at a time, on
// a seat of its own, until it waits; then a seed decides which goes on, and when none can, time
// jumps to the next event. So a history is a function of its seed.
//
// libc_threads.cpp brings the programs here: it stands before pthread's functions and the clock's.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "tests/simulation/clock.hpp"
#include "tests/simulation/machine.hpp"
#include "tests/simulation/random.hpp"

namespace relay::simulation {

struct Thread;

class Schedule {
 public:
  explicit Schedule(Random random);
  ~Schedule();

  /// The one of this process, null outside a history.
  static Schedule* present;
  /// Null: this code is the world's (or no history runs), and calls go to the true libc.
  static Thread* self();

  Time now() const { return now_; }
  /// Moves on a little, so that who waits for time to pass by looking at the clock sees it pass.
  Time look_at_clock() { return now_ += Time(40); }

  /// `event` runs in the world at that time, between two turns.
  void at(Time time, std::function<void()> event);
  void after(Time wait, std::function<void()> event) { at(now_ + wait, std::move(event)); }

  /// Runs the world until end() was called. On the thread that made this.
  void run();
  void end();

  /// For the world: starts a program. Its threads belong to `process`.
  void start(Process& process, std::function<void()> program);
  /// A thread of the present one's process; returns a number for join().
  Thread* make_thread(std::function<void()> body);
  void join(Thread* thread);

  /// The present thread waits for a wake() of `place`. False: until `deadline` nobody did.
  bool wait(const void* place, Time deadline);
  void wake_one(const void* place);
  void wake_all(const void* place);
  /// Now and then lets another thread go first.
  void maybe_yield();
  /// One in so many chances for another thread; 0: never.
  void set_yields(std::uint64_t one_in) { yields_one_in_ = one_in; }

  Process& process();
  std::uint64_t turns() const { return turns_; }

 private:
  friend struct Thread;
  struct Event {
    Time at;
    std::uint64_t number;
    std::function<void()> run;
    /// Who comes later is less.
    bool operator<(const Event& other) const {
      return at != other.at ? at > other.at : number > other.number;
    }
  };
  void give_way(Thread* self);
  Thread* choose();
  void run_next_event();
  Thread* add_thread(Process* process, std::function<void()> body);
  void body_of(Thread* thread);

  Random random_;
  Time now_{0};
  std::uint64_t events_made_ = 0, turns_ = 0, yields_one_in_ = 0;
  std::vector<Event> events_;  // a heap
  std::vector<std::unique_ptr<Thread>> threads_;
  std::vector<Thread*> ready_;
  std::unordered_map<const void*, std::deque<Thread*>> waiting_;
  std::unique_ptr<Thread> world_;
};

}  // namespace relay::simulation
