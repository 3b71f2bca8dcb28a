#include "tests/simulation/history.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "edge/cache/cache.hpp"
#include "tests/simulation/faults.hpp"
#include "tests/simulation/fleet.hpp"
#include "tests/simulation/origin.hpp"

namespace relay::simulation {
namespace {

using namespace std::chrono_literals;

constexpr Time opened_at = 500ms;  // for viewers: the members have talked to one another by then
constexpr Time troubled_until = 2500ms;
constexpr Time healed_by = 3500ms;
constexpr Time settling = 4500ms;  // until breakers are closed and trust is back
constexpr Time answer_most = 4s;   // of what is asked when all is well

edge::Settings settings_of(Random& random, bool small_store, bool long_troubles) {
  edge::Settings settings;
  settings.threads = random.one_in(6) ? 2 : 1;
  settings.cache_size_bytes = small_store ? edge::cache::cache_bytes_min : 12 << 20;
  settings.drain_grace = 500ms;
  settings.connect_wait = 400ms;
  settings.first_byte_wait = 2s;
  settings.peer_first_byte_wait = 2500ms;
  settings.stall_wait = 2s;
  settings.live.probe_interval = 300ms;
  settings.live.slow_start = random.one_in(2) ? 0ms : 500ms;
  settings.live.handover = 600s;
  settings.purge_lease = long_troubles ? 1s : 2s;
  if (random.one_in(2)) settings.slice_bytes = 32 << 10;
  if (random.one_in(2)) settings.fleet_key = "a key of sixteen characters";
  return settings;
}

class History {
 public:
  History(std::uint64_t seed, const std::filesystem::path& folder, bool trace)
      : random_(seed),
        schedule_(random_.fork()),
        network_(schedule_, random_.fork()),
        descriptors_(schedule_, network_),
        content_(random_.fork()),
        checks_(schedule_, content_),
        origin_(schedule_, network_, content_, random_.fork(),
                [this](const Fetch& fetch) { on_fetch(fetch); }),
        small_store_(random_.one_in(16)),
        long_troubles_(random_.one_in(4)),
        fleet_(schedule_, descriptors_, folder, settings_of(random_, small_store_, long_troubles_),
               static_cast<int>(random_.below(20) < 16 ? 3 : random_.between(2, 5))),
        faults_(schedule_, network_, fleet_, checks_, random_.fork(),
                [this](int host) { ask_at_once(host); }),
        trace_(trace) {
    Descriptors::present = &descriptors_;
  }

  Outcome live();

 private:
  void plan();
  void ask_in_a_burst();
  void ask(int host, int thing, Time patience);
  void plan_purge(Time at, Time at_last);
  void purge(int thing);
  void ask_everywhere(int thing, Time within);
  void ask_at_once(int host);
  void ask_all();
  void close_when_answered(Time look_at, Time at_last);
  void look_at_stores();
  void on_fetch(const Fetch& fetch);
  void renew(const Fetch& fetch);
  int some_edge() { return static_cast<int>(random_.between(1, fleet_.size())); }
  int some_thing() { return static_cast<int>(random_.between(0, content_.count() - 1)); }
  Time some_time(Time from, Time until) {
    return Time(random_.between(from.count(), until.count()));
  }
  template <class... Values>
  void tell(fmt::format_string<Values...> text, Values&&... values) {
    if (!trace_) return;
    std::string line = fmt::format(text, std::forward<Values>(values)...);
    std::fprintf(stderr, "%.6f %s\n", std::chrono::duration<double>(schedule_.now()).count(),
                 line.c_str());
  }

  Random random_;
  Schedule schedule_;
  Network network_;
  Descriptors descriptors_;
  Content content_;
  Checks checks_;
  Origin origin_;
  const bool small_store_;
  const bool long_troubles_;  // than a lease and what follows its end: members are fenced
  Fleet fleet_;
  Faults faults_;
  const bool trace_;
  bool renews_ = false;  // the origin, in the middle of what it sends
  int unanswered_ = 0;
};

void History::on_fetch(const Fetch& fetch) {
  tell("origin: edge-{} fetches {} version {} from byte {}, {}", fetch.host,
       content_.thing(fetch.thing).path, fetch.version, fetch.first,
       fetch.kind == Fetch::Kind::whole   ? "whole"
       : fetch.kind == Fetch::Kind::rest  ? "the rest"
       : fetch.kind == Fetch::Kind::slice ? "a slice"
                                          : "unchanged");
  checks_.on_fetch(fetch);
  bool has_a_middle =
      fetch.kind == Fetch::Kind::whole && content_.thing(fetch.thing).bytes > 20'000;
  if (renews_ && has_a_middle && random_.one_in(6)) {
    schedule_.after(some_time(1ms, 150ms), [this, fetch] { renew(fetch); });
  }
}

/// Another version comes to be while the old one is on its way, which breaks off. Nobody is told:
/// what was stored of the old one may go on being served.
void History::renew(const Fetch& fetch) {
  Thing& thing = content_.things()[static_cast<std::size_t>(fetch.thing)];
  if (thing.version != fetch.version || schedule_.now() > troubled_until) return;
  ++thing.version;
  ++checks_.tally.renewals;
  tell("origin: {} is renewed, streams of edge-{} break", thing.path, fetch.host);
  checks_.note(Disturbance{"renewal", fetch.host, origin_host, schedule_.now(), schedule_.now()});
  network_.reset_between(fetch.host, origin_host);
}

void History::ask(int host, int thing, Time patience) {
  std::string path = content_.thing(thing).path;
  ++unanswered_;
  tell("viewer: asks edge-{} for {}", host, path);
  Exchange::begin(schedule_, network_, {host, Fleet::viewer_port},
                  "GET " + path + " HTTP/1.1\r\nHost: media\r\nConnection: close\r\n\r\n", patience,
                  [=, this](Answer answer) {
                    --unanswered_;
                    auto version = Content::version_in(answer.body);
                    tell("viewer: edge-{} answers for {}: {}, {} bytes, version {}, {}", host, path,
                         answer.status, answer.body.size(), version.value_or(0),
                         static_cast<int>(answer.end));
                    checks_.on_answer(host, thing, answer);
                  });
}

/// Some ask for the same at nearly the same time.
void History::ask_in_a_burst() {
  int thing = some_thing();
  auto viewers = random_.one_in(3) ? random_.between(2, 6) : 1;
  for (int i = 0; i < viewers; ++i) {
    int host = some_edge();
    Time patience = random_.one_in(16) ? Time(random_.between(1'000'000, 60'000'000)) : never;
    schedule_.after(Time(random_.between(0, 20'000'000)),
                    [=, this] { ask(host, thing, patience); });
  }
}

void History::ask_everywhere(int thing, Time within) {
  for (int host = 1; host <= fleet_.size(); ++host) {
    schedule_.after(some_time(Time(0), within), [=, this] { ask(host, thing, never); });
  }
}

/// Of an edge that has just begun, and may not know yet what it missed.
void History::ask_at_once(int host) {
  for (int i = 0; i < 4; ++i) {
    schedule_.after(some_time(Time(0), i < 2 ? 2ms : 40ms),
                    [this, host] { ask(host, some_thing(), never); });
  }
}

/// Often after all have it, and often all are asked for it as soon as it is acknowledged.
void History::plan_purge(Time at, Time at_last) {
  int thing = some_thing();
  if (random_.one_in(2)) schedule_.at(at, [=, this] { ask_everywhere(thing, 40ms); });
  at = std::min(at + some_time(20ms, 500ms), at_last);
  schedule_.at(at, [=, this] { purge(thing); });
}

/// New versions come first, then the purge that makes them known.
void History::purge(int thing) {
  const Thing& named = content_.thing(thing);
  std::string what;
  auto is_named = [&](const Thing&) { return true; };
  std::function<bool(const Thing&)> matches = is_named;
  switch (random_.below(6)) {
    case 0:
      what = fmt::format("\"tenant\":\"{}\"", named.tenant);
      matches = [&](const Thing& each) { return each.tenant == named.tenant; };
      break;
    case 1:
      what = fmt::format("\"tag\":\"{}\"", named.tag);
      matches = [&](const Thing& each) { return each.tag == named.tag; };
      break;
    case 2:
      what = fmt::format("\"prefix\":\"/{}/\"", named.tenant);
      matches = [&](const Thing& each) { return each.tenant == named.tenant; };
      break;
    default:
      what = fmt::format("\"url\":\"{}\"", named.path);
      matches = [&](const Thing& each) { return each.path == named.path; };
  }
  PurgeDone purge{.begun = schedule_.now(),
                  .host = some_edge(),
                  .soft = random_.one_in(4),
                  .by_tag = what.starts_with("\"tag")};
  if (purge.soft) what += ",\"soft\":true";
  for (int i = 0; i < content_.count(); ++i) {
    Thing& each = content_.things()[static_cast<std::size_t>(i)];
    if (matches(each)) purge.things.emplace_back(i, ++each.version);
  }
  tell("operator: purges {} at edge-{}", what, purge.host);
  int host = purge.host;
  std::size_t number = checks_.note(std::move(purge));
  ++unanswered_;
  std::string body = "{" + what + "}";
  std::string request = fmt::format(
      "POST /purge HTTP/1.1\r\nHost: admin\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{}",
      body.size(), body);
  Exchange::begin(schedule_, network_, {host, Fleet::admin_port}, request, never,
                  [=, this](const Answer& answer) {
                    --unanswered_;
                    tell("operator: edge-{} answers {} {}", host, answer.status, answer.body);
                    if (answer.status == 200) checks_.acknowledge(number);
                    if (random_.one_in(2)) ask_everywhere(thing, 300ms);
                  });
}

/// Every thing somewhere, and everywhere something.
void History::ask_all() {
  for (int thing = 0; thing < content_.count(); ++thing) ask(some_edge(), thing, never);
  for (int host = 1; host <= fleet_.size(); ++host) ask(host, some_thing(), never);
}

void History::look_at_stores() {
  for (int host = 1; host <= fleet_.size(); ++host) {
    ++unanswered_;
    Exchange::begin(schedule_, network_, {host, Fleet::admin_port},
                    "GET /api/v1/cache HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n", never,
                    [=, this](const Answer& answer) {
                      --unanswered_;
                      checks_.on_store(host, answer);
                    });
  }
}

void History::plan() {
  for (int host = 1; host <= fleet_.size(); ++host) fleet_.start(host);
  checks_.set_slices(fleet_.machine(1).settings.slice_bytes);
  if (small_store_) {
    checks_.set_small_store();
    for (int i = 0; i < 3; ++i) content_.things()[static_cast<std::size_t>(i)].bytes += 700'000;
  }
  if (random_.one_in(3)) schedule_.set_yields(static_cast<std::uint64_t>(random_.between(8, 80)));
  Time healed_at = healed_by + (long_troubles_ ? Time(2500ms) : Time(0));
  auto bursts = random_.between(4, 12);
  for (int i = 0; i < bursts; ++i) {
    schedule_.at(some_time(opened_at, healed_at), [this] { ask_in_a_burst(); });
  }
  auto purges = random_.one_in(4) ? 0 : random_.between(1, 3);
  for (int i = 0; i < purges; ++i) plan_purge(some_time(opened_at, healed_at), healed_at);
  bool calm = random_.one_in(6);
  renews_ = !calm && random_.one_in(3);
  if (random_.one_in(3)) origin_.ignore_if_range();
  if (!calm) {
    Time lasting = long_troubles_ ? Time(4500ms) : Time(2500ms);
    faults_.plan(static_cast<int>(random_.between(1, 5)), lasting,
                 {opened_at + 100ms, troubled_until, healed_at});
  }
  Time settled_at = calm ? healed_at + 100ms : healed_at + settling;
  schedule_.at(healed_at, [this] { look_at_stores(); });
  schedule_.at(settled_at, [this] {
    ask_all();
    look_at_stores();
  });
  close_when_answered(settled_at, settled_at + answer_most);
}

void History::close_when_answered(Time look_at, Time at_last) {
  schedule_.at(look_at + 20ms, [this, look_at, at_last] {
    if (unanswered_ > 0 && look_at < at_last) return close_when_answered(look_at + 20ms, at_last);
    if (unanswered_ > 0) checks_.fail(fmt::format("{} requests never ended", unanswered_));
    schedule_.end();
  });
}

Outcome History::live() {
  plan();
  schedule_.run();
  checks_.tally.turns = schedule_.turns();
  return {checks_.failures(), checks_.tally};
}

}  // namespace

Outcome live(std::uint64_t seed, const std::filesystem::path& folder, bool trace) {
  // Never destroyed: programs of it sleep in the middle of what they did.
  auto* history = new History(seed, folder, trace);
  return history->live();
}

}  // namespace relay::simulation
