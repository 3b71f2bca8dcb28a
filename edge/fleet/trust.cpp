#include "edge/fleet/trust.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace relay::edge::fleet {

std::size_t majority(std::size_t members) {
  return members / 2 + 1;
}

std::optional<SteadyTime> fenced_at(std::size_t members, std::size_t unaware,
                                    const std::vector<SteadyTime>& lent_until) {
  // It counts itself, and whoever has not heard either may lend it trust at any time.
  if (majority(members) <= unaware) return std::nullopt;
  return lent_until.empty() ? SteadyTime::min() : std::ranges::max(lent_until);
}

Trust::Trust(std::string self, const std::vector<std::string>& names,
             std::chrono::milliseconds lease, SteadyTime start)
    : self_(std::move(self)), lease_(lease), start_(start) {
  replace(names);
}

void Trust::replace(const std::vector<std::string>& names) {
  std::lock_guard lock(mutex_);
  std::map<std::string, Told, std::less<>> kept;
  for (const std::string& name : names) {
    if (name == self_) continue;
    auto known = told_at_.find(name);
    kept[name] = known == told_at_.end() ? Told{} : known->second;
  }
  for (const auto& [name, told] : told_at_) {
    if (!kept.contains(name)) lent_at_.try_emplace(name, start_);
  }
  told_at_ = std::move(kept);
  settle();
}

/// Under the lock: until when a majority's word lasts.
SteadyTime Trust::told_until(SteadyTime Told::* when) const {
  std::size_t wanted = majority(told_at_.size() + 1) - 1;
  if (wanted == 0 || lease_.count() == 0) return SteadyTime::max();
  std::vector<SteadyTime> told;
  for (const auto& [name, at] : told_at_) told.push_back(at.*when);
  std::ranges::sort(told, std::greater());
  SteadyTime oldest = told[wanted - 1];
  return oldest == SteadyTime::min() ? oldest : oldest + lease_;
}

/// Under the lock.
void Trust::settle() {
  SteadyTime until = told_until(&Told::lending);
  if (outage_ && lease_.count() > 0) {
    bool streamed = streamed_at_ != SteadyTime::min();
    until = streamed ? std::max(std::min(until, streamed_at_ + *outage_), streamed_at_ + lease_)
                     : SteadyTime::min();
  }
  until_.store(until, std::memory_order_release);
}

void Trust::use_stream(std::chrono::milliseconds outage) {
  std::lock_guard lock(mutex_);
  outage_ = outage;
  settle();
}

void Trust::note_streamed(SteadyTime asked_at) {
  std::lock_guard lock(mutex_);
  streamed_at_ = std::max(streamed_at_, asked_at);
  settle();
}

bool Trust::told_by_majority(SteadyTime now) const {
  std::lock_guard lock(mutex_);
  return now < told_until(&Told::ever);
}

bool Trust::alone() const {
  std::lock_guard lock(mutex_);
  return told_at_.empty();
}

bool Trust::cut_off(SteadyTime now) const {
  std::lock_guard lock(mutex_);
  if (!outage_) return false;
  return streamed_at_ == SteadyTime::min() || now >= streamed_at_ + *outage_;
}

void Trust::note_told(std::string_view member, SteadyTime asked_at, bool lends) {
  std::lock_guard lock(mutex_);
  auto at = told_at_.find(member);
  if (at == told_at_.end()) return;
  at->second.ever = std::max(at->second.ever, asked_at);
  if (lends) at->second.lending = std::max(at->second.lending, asked_at);
  settle();
}

bool Trust::note_telling(std::string_view member, SteadyTime now) {
  std::lock_guard lock(mutex_);
  if (!told_at_.contains(member)) return false;
  lent_at_.insert_or_assign(std::string(member), now);
  std::erase_if(lent_at_, [&](const auto& each) {
    return !told_at_.contains(each.first) && each.second + lease_ <= now;
  });
  return true;
}

std::map<std::string, std::chrono::milliseconds> Trust::lent(SteadyTime now) const {
  std::lock_guard lock(mutex_);
  std::map<std::string, std::chrono::milliseconds> left;
  auto note = [&](const std::string& name, SteadyTime at) {
    auto rest = std::chrono::ceil<std::chrono::milliseconds>(at + lease_ - now);
    if (rest.count() > 0) left[name] = std::max(left[name], rest);
  };
  for (const auto& [name, told] : told_at_) note(name, start_);
  for (const auto& [name, at] : lent_at_) note(name, at);
  return left;
}

}  // namespace relay::edge::fleet
