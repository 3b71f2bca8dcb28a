#include "tests/simulation/checks.hpp"

#include <fmt/format.h>
#include <boost/json.hpp>

#include <algorithm>

#include "edge/slicing.hpp"

namespace relay::simulation {
namespace {

using namespace std::chrono_literals;

// How long a disturbance goes on to show after its end: breakers, probes, letters that still wait
// for their deadline, trust that has to come back.
constexpr Time aftermath = 4s;
// For so long a purged thing is asked for at the origin by each edge for itself.
constexpr Time after_purge = 60s;

double seconds(Time time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

void Checks::note(Disturbance disturbance) {
  ++tally.disturbances;
  disturbances_.push_back(std::move(disturbance));
}

void Checks::end(const std::string& what, int host) {
  for (Disturbance& each : disturbances_) {
    if (each.what == what && each.host == host && each.until == never) {
      each.until = schedule_.now();
    }
  }
}

std::size_t Checks::note(PurgeDone purge) {
  ++tally.purges;
  purges_.push_back(std::move(purge));
  return purges_.size() - 1;
}

void Checks::acknowledge(std::size_t purge) {
  ++tally.purges_certain;
  purges_[purge].acknowledged = schedule_.now();
}

bool Checks::calm_since(Time since) const {
  return std::ranges::none_of(disturbances_, [&](const Disturbance& each) {
    return each.until == never || each.until + aftermath >= since;
  });
}

/// Of that edge, or of its way to the origin.
bool Checks::disturbed(int host, Time from, Time until) const {
  return std::ranges::any_of(disturbances_, [&](const Disturbance& each) {
    bool met = each.from <= until && (each.until == never || each.until + aftermath >= from);
    bool here = each.host == host && (each.other == 0 || each.other == origin_host);
    return met && here && !each.harmless;
  });
}

bool Checks::purged_between(int thing, Time from, Time until) const {
  return std::ranges::any_of(purges_, [&](const PurgeDone& each) {
    bool named = each.by_tag ||
                 std::ranges::any_of(each.things, [&](auto& one) { return one.first == thing; });
    return named && each.begun >= from && each.begun <= until;
  });
}

void Checks::fail(std::string what) {
  failures_.push_back(fmt::format("{:.6f} s: {}", seconds(schedule_.now()), what));
}

void Checks::on_answer(int host, int thing, const Answer& answer) {
  ++tally.answers;
  if (answer.end == Answer::End::abandoned) return;
  if (answer.status == 200) check_body(host, thing, answer);
  bool whole = answer.end == Answer::End::whole && answer.status == 200;
  whole ? void(++tally.whole) : check_failure(host, thing, answer);
}

void Checks::check_body(int host, int thing, const Answer& answer) {
  auto version = Content::version_in(answer.body);
  if (!version && answer.end != Answer::End::whole) return;  // too little came to know
  std::string of = fmt::format("{} at edge-{}, asked at {:.6f} s", content_.thing(thing).path, host,
                               seconds(answer.begun));
  if (!version || *version < 1 || *version > content_.thing(thing).version) {
    return fail("invariant 1: bytes of nothing that there is, for " + of);
  }
  const std::string& right = content_.body(thing, *version);
  bool same =
      answer.end == Answer::End::whole ? answer.body == right : right.starts_with(answer.body);
  if (!same) fail("invariant 1: wrong bytes for " + of);
  for (const PurgeDone& purge : purges_) {
    if (purge.acknowledged == never || purge.acknowledged > answer.begun) continue;
    if (purge.soft && !calm_since(answer.begun)) continue;
    for (auto [purged, least] : purge.things) {
      if (purged != thing || *version >= least) continue;
      fail(fmt::format("invariant 4: version {} of {}, purged up to {} at {:.6f} s", *version, of,
                       least, seconds(purge.acknowledged)));
    }
  }
}

/// A head and a beginning have come, but not all. What has no length cannot go on elsewhere when
/// its source breaks off, and of a version that is no more at the origin nothing more can be had.
bool Checks::may_break_off(int thing, const Answer& answer) const {
  const Thing& of = content_.thing(thing);
  auto version = Content::version_in(answer.body);
  bool begun = answer.status == 200;
  bool is_no_more = begun && version != of.version;  // or too little came to know
  if (is_no_more && is_sliced(thing, version)) return true;
  // A reset may take the head with it that was on its way.
  bool cannot_go_on = is_no_more || (!of.sized && (begun || answer.status == 0));
  return cannot_go_on && !calm_since(answer.begun);
}

bool Checks::is_sliced(int thing, std::optional<int> version) const {
  if (slice_bytes_ == 0 || !version || !content_.thing(thing).sized) return false;
  return content_.body(thing, *version).size() >= edge::sliced_from_slices * slice_bytes_;
}

/// Whoever asks an edge that is well and can reach the origin is answered, whatever is wrong
/// elsewhere in the fleet.
void Checks::check_failure(int host, int thing, const Answer& answer) {
  if (answer.end == Answer::End::refused) ++tally.refused;
  bool broke = answer.end == Answer::End::broken;
  bool excuse =
      disturbed(host, answer.begun, answer.ended) || (broke && may_break_off(thing, answer));
  if (excuse) {
    ++(broke ? tally.broken_excused : tally.errors_excused);
    return;
  }
  fail(fmt::format("no answer: {} at edge-{}, asked at {:.6f} s: status {}, {} bytes, {}",
                   content_.thing(thing).path, host, seconds(answer.begun), answer.status,
                   answer.body.size(),
                   answer.end == Answer::End::whole     ? "whole"
                   : answer.end == Answer::End::refused ? "refused"
                                                        : "broken off"));
}

void Checks::on_fetch(const Fetch& fetch) {
  if (fetch.kind == Fetch::Kind::rest) ++tally.rests;
  if (fetch.kind == Fetch::Kind::unchanged) ++tally.unchanged;
  if (fetch.kind == Fetch::Kind::rest || fetch.kind == Fetch::Kind::unchanged) return;
  ++(fetch.kind == Fetch::Kind::slice ? tally.slices : tally.fetches);
  for (const Fetch& earlier : fetches_) {
    bool same = earlier.thing == fetch.thing && earlier.version == fetch.version &&
                earlier.kind == fetch.kind && earlier.first == fetch.first;
    if (same) check_again(earlier, fetch);
  }
  fetches_.push_back(fetch);
}

void Checks::check_again(const Fetch& first, const Fetch& again) {
  Time since = again.host == first.host ? first.begun : again.begun - after_purge;
  if (purged_between(first.thing, since - aftermath, again.begun)) {
    ++tally.again_after_purge;
  } else if (!calm_since(first.begun)) {
    ++tally.again_disturbed;
  } else if (small_store_) {
    ++tally.again_small;
  } else if (content_.thing(first.thing).passes &&
             std::chrono::floor<std::chrono::seconds>(first.begun) !=
                 std::chrono::floor<std::chrono::seconds>(again.begun)) {
    ++tally.again_stale;
  } else {
    fail(fmt::format("invariant 3: version {} of {} fetched by edge-{}, and at {:.6f} s by edge-{}",
                     again.version, content_.thing(again.thing).path, again.host,
                     seconds(first.begun), first.host));
  }
}

/// The answer of /api/v1/cache.
void Checks::on_store(int host, const Answer& answer) {
  if (answer.end != Answer::End::whole || answer.status != 200) return;
  boost::json::value told = boost::json::parse(answer.body);
  if (told.at("reading").as_bool()) return;  // it counts the files' pages then, free ones with them
  auto number = [&](const char* name) { return told.at(name).to_number<std::uint64_t>(); };
  std::uint64_t held = number("stored_bytes") + number("graveyard_bytes");
  if (held > number("size_bytes")) {
    fail(fmt::format("invariant 5: edge-{} stores {} bytes of {}", host, held,
                     number("size_bytes")));
  }
}

}  // namespace relay::simulation
