#include "edge/purge_history.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace relay::edge {
namespace {

std::size_t text_bytes(const FleetPurge& purge) {
  return purge.purge.text.size() + purge.purge.host.size();
}

}  // namespace

std::uint64_t stamp_of(const PurgeVector& vector, std::string_view member) {
  auto found = vector.find(member);
  return found == vector.end() ? 0 : found->second;
}

PurgeVector PurgeHistory::reached() const {
  std::lock_guard lock(mutex_);
  PurgeVector vector;
  for (const auto& [name, member] : members_) vector[name] = member.reach.highest;
  return vector;
}

std::uint64_t PurgeHistory::reached(std::string_view member) const {
  std::lock_guard lock(mutex_);
  auto found = members_.find(member);
  return found == members_.end() ? 0 : found->second.reach.highest;
}

PurgeNews PurgeHistory::make(const Purge& purge, WallTime when) const {
  std::uint64_t last = reached(self_);
  auto clock = std::chrono::microseconds(when.time_since_epoch()).count();
  std::uint64_t stamp = std::max(last + 1, static_cast<std::uint64_t>(std::max<long>(clock, 0)));
  return {{{self_, last}}, {{self_, stamp}}, {{{self_, stamp}, when, purge}}, false};
}

/// Under the lock.
void PurgeHistory::tell(const std::string& name, const Member& member, std::uint64_t after,
                        std::size_t& bytes, PurgeNews& news) const {
  if (after >= member.reach.highest) return;
  std::uint64_t reached = std::max(after, member.reach.floor);
  news.after[name] = reached;
  auto next = std::ranges::upper_bound(member.purges, reached, {},
                                       [](const FleetPurge& each) { return each.id.stamp; });
  for (; next != member.purges.end(); ++next) {
    if (news.purges.size() >= news_purges_max || bytes >= news_text_bytes_max) break;
    bytes += text_bytes(*next);
    reached = next->id.stamp;
    news.purges.push_back(*next);
  }
  bool whole = next == member.purges.end();
  news.reached[name] = whole ? member.reach.highest : reached;
  news.more |= !whole;
}

PurgeNews PurgeHistory::missed(const PurgeVector& theirs) const {
  std::lock_guard lock(mutex_);
  PurgeNews news;
  std::size_t bytes = 0;
  for (const auto& [name, member] : members_)
    tell(name, member, stamp_of(theirs, name), bytes, news);
  return news;
}

PurgeNews PurgeHistory::missed_of(std::string_view member, std::uint64_t after) const {
  std::lock_guard lock(mutex_);
  PurgeNews news;
  std::size_t bytes = 0;
  if (auto known = members_.find(member); known != members_.end()) {
    tell(known->first, known->second, after, bytes, news);
  }
  return news;
}

bool PurgeHistory::has_gap(const PurgeNews& news) const {
  return std::ranges::any_of(news.after,
                             [&](const auto& each) { return each.second > reached(each.first); });
}

PurgeChange PurgeHistory::change_of(const PurgeNews& news) const {
  PurgeChange change;
  std::lock_guard lock(mutex_);
  for (const auto& [name, reached] : news.reached) {
    auto known = members_.find(name);
    PurgeReach reach = known == members_.end() ? PurgeReach{} : known->second.reach;
    if (reached <= reach.highest) continue;
    std::uint64_t after = stamp_of(news.after, name);
    if (after > reach.highest) {
      change.lost = true;
      reach.floor = after;
    }
    for (const FleetPurge& each : news.purges) {
      if (each.id.member == name && each.id.stamp > reach.highest) change.purges.push_back(each);
    }
    reach.highest = reached;
    change.reaches[name] = reach;
  }
  plan_forgetting(change);
  return change;
}

/// Under the lock. What goes are the oldest of those known so far.
void PurgeHistory::plan_forgetting(PurgeChange& change) const {
  std::size_t count = count_ + change.purges.size();
  std::size_t bytes = text_bytes_;
  for (const FleetPurge& each : change.purges) bytes += text_bytes(each);
  std::map<std::string_view, std::size_t> gone;
  while (count > purges_max || bytes > text_bytes_max) {
    const FleetPurge* oldest = nullptr;
    for (const auto& [name, member] : members_) {
      if (gone[name] == member.purges.size()) continue;
      const FleetPurge& each = member.purges[gone[name]];
      if (!oldest || each.id.stamp < oldest->id.stamp) oldest = &each;
    }
    if (!oldest) return;
    const std::string& name = oldest->id.member;
    auto reach = change.reaches.try_emplace(name, members_.find(name)->second.reach).first;
    reach->second.floor = std::max(reach->second.floor, oldest->id.stamp);
    change.forgotten.push_back(oldest->id);
    ++gone[name];
    --count;
    bytes -= text_bytes(*oldest);
  }
}

void PurgeHistory::adopt(PurgeChange change) {
  std::lock_guard lock(mutex_);
  for (const PurgeId& id : change.forgotten) {
    std::deque<FleetPurge>& purges = members_.find(id.member)->second.purges;
    text_bytes_ -= text_bytes(purges.front());
    --count_;
    purges.pop_front();
  }
  for (FleetPurge& each : change.purges) {
    text_bytes_ += text_bytes(each);
    ++count_;
    members_[each.id.member].purges.push_back(std::move(each));
  }
  for (const auto& [name, reach] : change.reaches) members_[name].reach = reach;
}

void PurgeHistory::restore(std::string_view member, PurgeReach reach) {
  std::lock_guard lock(mutex_);
  members_[std::string(member)].reach = reach;
}

void PurgeHistory::restore(FleetPurge purge) {
  std::lock_guard lock(mutex_);
  text_bytes_ += text_bytes(purge);
  ++count_;
  members_[purge.id.member].purges.push_back(std::move(purge));
}

}  // namespace relay::edge
