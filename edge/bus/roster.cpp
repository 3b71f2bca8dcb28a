#include "edge/bus/roster.hpp"

#include <algorithm>
#include <utility>

namespace relay::edge::bus {

Roster::Roster(fleet::Member self, Times times, std::span<const fleet::Member> known,
               SteadyTime now)
    : self_(std::move(self)), times_(times) {
  for (const fleet::Member& member : known) {
    if (member.name == self_.name) continue;
    entries_.insert_or_assign(key_of(member.name),
                              Entry{member, now, SteadyTime::min(), SteadyTime::min(), false});
  }
}

Registration Roster::registration(SteadyTime now) const {
  using std::chrono::milliseconds;
  Registration registration{self_, milliseconds(0), Registration::never};
  if (self_since_)
    registration.registered_for = std::chrono::floor<milliseconds>(now - *self_since_);
  if (looked_at_) registration.looked_before = std::chrono::ceil<milliseconds>(now - *looked_at_);
  return registration;
}

void Roster::note_registered(SteadyTime now) {
  if (!self_since_) self_since_ = now;
}

void Roster::note_pause(SteadyTime now) {
  for (auto& [key, entry] : entries_) {
    if (!entry.lost) entry.heard_at = std::max(entry.heard_at, now);
  }
}

/// Whoever was there stays so until it has been silent for a ttl as seen from here: at the first
/// look after a pause all registrations are old.
bool Roster::note(std::string_view key, const Registration& registration, Age age, SteadyTime now) {
  auto before = [&](std::chrono::milliseconds time) {
    return now - std::clamp(time, std::chrono::milliseconds(0), times_.forget_after);
  };
  SteadyTime written_at = before(age.least);
  if (registration.member.name == self_.name) {
    SteadyTime since = written_at - registration.registered_for;
    self_since_ = std::min(self_since_.value_or(since), since);
    return true;
  }
  auto known = entries_.find(key);
  if (known == entries_.end()) {
    if (entries_.size() >= registrations_max) return false;
    known = entries_.emplace(std::string(key), Entry{{}, written_at, {}, {}, true}).first;
  }
  Entry& entry = known->second;
  entry.member = registration.member;
  entry.heard_at = std::max(entry.heard_at, written_at);
  entry.since = written_at - registration.registered_for;
  entry.knows_until = before(age.most) - registration.looked_before;
  entry.listed = true;
  return true;
}

void Roster::note_left(std::string_view key) {
  if (auto known = entries_.find(key); known != entries_.end()) entries_.erase(known);
}

void Roster::note_keys(std::span<const std::string> keys) {
  for (auto& [key, entry] : entries_) {
    entry.listed = std::ranges::find(keys, key) != keys.end();
  }
}

View Roster::view(SteadyTime now) {
  View view;
  view.members.push_back(self_);
  for (auto& [key, entry] : entries_) entry.lost = now - entry.heard_at >= times_.ttl;
  std::erase_if(entries_, [&](const auto& each) {
    const Entry& entry = each.second;
    return entry.lost && (!entry.listed || now - entry.heard_at >= times_.forget_after);
  });
  for (const auto& [key, entry] : entries_) {
    (entry.lost ? view.lost : view.members).push_back(entry.member);
  }
  std::ranges::sort(view.members, {}, &fleet::Member::name);
  return view;
}

std::vector<Standing> Roster::standings() const {
  std::vector<Standing> all;
  for (const auto& [key, entry] : entries_) {
    auto may_be_unknown = [&](SteadyTime since) { return since >= entry.knows_until; };
    bool old = !self_since_ || may_be_unknown(*self_since_) ||
               std::ranges::any_of(entries_, [&](const auto& each) {
                 return each.first != key && may_be_unknown(each.second.since);
               });
    all.push_back({entry.member.name, old, entry.heard_at + times_.ttl});
  }
  return all;
}

}  // namespace relay::edge::bus
