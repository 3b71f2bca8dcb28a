#include "tests/simulation/schedule.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "tests/simulation/seats.hpp"

namespace relay::simulation {

struct Thread {
  Process* process = nullptr;  // null: the world's own
  std::function<void()> body;
  Seat* seat = nullptr;
  std::uint64_t waits = 0;      // how often it has waited, so that old deadlines are known
  const void* place = nullptr;  // that it waits at
  bool woken = false;
  bool ended = false;
};

namespace {

thread_local Thread* own = nullptr;
bool in_world = true;  // only the thread whose turn it is looks at it

}  // namespace

Schedule* Schedule::present = nullptr;

Thread* Schedule::self() {
  return present && !in_world ? own : nullptr;
}

Schedule::Schedule(Random random) : random_(random), world_(std::make_unique<Thread>()) {
  present = this;
  own = world_.get();
  own->seat = &first_seat();
}

Schedule::~Schedule() {
  present = nullptr;
}

Process& Schedule::process() {
  return *own->process;
}

void Schedule::at(Time time, std::function<void()> event) {
  events_.push_back({std::max(time, now_), events_made_++, std::move(event)});
  std::push_heap(events_.begin(), events_.end());
}

void Schedule::run() {
  give_way(world_.get());
}

void Schedule::end() {
  ready_.push_back(world_.get());
}

void Schedule::run_next_event() {
  if (events_.empty()) {
    std::fprintf(stderr, "nothing is left to happen in this history\n");
    std::abort();
  }
  std::pop_heap(events_.begin(), events_.end());
  Event event = std::move(events_.back());
  events_.pop_back();
  now_ = std::max(now_, event.at);
  event.run();
}

/// Null: none can go on now. The world's own goes first, for then the history has ended.
Thread* Schedule::choose() {
  auto end = std::ranges::find(ready_, world_.get());
  if (end != ready_.end()) return world_.get();
  std::size_t may_run = 0;
  for (Thread* thread : ready_) may_run += thread->process->may_run();
  if (may_run == 0) return nullptr;
  std::size_t chosen = may_run == 1 ? 0 : random_.below(may_run);
  for (auto at = ready_.begin();; ++at) {
    if (!(*at)->process->may_run() || chosen-- > 0) continue;
    Thread* thread = *at;
    ready_.erase(at);
    return thread;
  }
}

/// Until it is the turn of `self` again. One that has ended does not come back.
void Schedule::give_way(Thread* self) {
  in_world = true;
  Thread* next = nullptr;
  while (true) {
    while (!events_.empty() && events_.front().at <= now_) run_next_event();
    next = choose();
    if (next) break;
    run_next_event();
  }
  ++turns_;
  now_ += Time(random_.between(500, 8'000));
  if (next != self) {
    change_seats(*self->seat, *next->seat);
  }
  in_world = self->process == nullptr;
}

Thread* Schedule::add_thread(Process* process, std::function<void()> body) {
  threads_.push_back(std::make_unique<Thread>());
  Thread* thread = threads_.back().get();
  thread->process = process;
  thread->body = std::move(body);
  auto enter = [](void* given) {
    own = static_cast<Thread*>(given);
    present->body_of(own);
  };
  thread->seat = &take_seat(enter, thread);
  ready_.push_back(thread);
  return thread;
}

void Schedule::body_of(Thread* thread) {
  in_world = false;
  thread->body();
  in_world = true;
  thread->body = nullptr;
  thread->ended = true;
  own = nullptr;
  wake_all(thread);
  give_way(thread);
}

void Schedule::start(Process& process, std::function<void()> program) {
  add_thread(&process, std::move(program));
}

Thread* Schedule::make_thread(std::function<void()> body) {
  return add_thread(own->process, std::move(body));
}

void Schedule::join(Thread* thread) {
  while (!thread->ended) wait(thread, never);
}

bool Schedule::wait(const void* place, Time deadline) {
  Thread* self = own;
  self->woken = false;
  self->place = place;
  std::uint64_t number = ++self->waits;
  waiting_[place].push_back(self);
  if (deadline != never) {
    at(deadline, [this, self, number, place] {
      if (self->waits != number || self->place != place) return;
      std::erase(waiting_[place], self);
      self->place = nullptr;
      ready_.push_back(self);
    });
  }
  give_way(self);
  return self->woken;
}

void Schedule::wake_one(const void* place) {
  auto at = waiting_.find(place);
  if (at == waiting_.end()) return;
  if (!at->second.empty()) {
    Thread* thread = at->second.front();
    at->second.pop_front();
    thread->woken = true;
    thread->place = nullptr;
    ready_.push_back(thread);
  }
  if (at->second.empty()) waiting_.erase(at);
}

void Schedule::wake_all(const void* place) {
  if (waiting_.empty()) return;
  while (waiting_.contains(place)) wake_one(place);
}

void Schedule::maybe_yield() {
  if (yields_one_in_ == 0 || !random_.one_in(yields_one_in_)) return;
  ready_.push_back(own);
  give_way(own);
}

}  // namespace relay::simulation
