#include "edge/purge_log.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include "common/base/hash.hpp"
#include "edge/cache_key.hpp"

namespace relay::edge {
namespace {

/// The kind is the seed, so that a tag never meets a tenant of its name.
std::uint64_t mark_hash(PurgeBy by, std::string_view text) {
  return hash64(text, static_cast<std::uint64_t>(by) + 1);
}

}  // namespace

void PurgeLog::begin_at(std::uint64_t number) {
  std::unique_lock lock(mutex_);
  newest_.store(std::max(number, newest_.load()), std::memory_order_release);
}

Result<std::uint64_t> PurgeLog::add(Purge purge, WallTime at, SteadyTime now) {
  std::unique_lock lock(mutex_);
  bool many_prefixes = purge.by == PurgeBy::prefix && prefixes_.size() >= prefixes_max;
  while (!order_.empty() && (order_.size() >= purges_max || many_prefixes) &&
         order_.front().number <= swept()) {
    dropped_at_ = std::max(dropped_at_, order_.front().at);
    drop_oldest();
    many_prefixes = many_prefixes && prefixes_.size() >= prefixes_max;
  }
  if (order_.size() >= purges_max || many_prefixes) {
    return fail(ErrorKind::unavailable, ErrorSource::internal,
                "too many purges wait for what they named to be taken away; try again");
  }
  std::uint64_t number = newest_.load(std::memory_order_relaxed) + 1;
  put({number, at, std::move(purge)}, now);
  newest_.store(number, std::memory_order_release);
  return number;
}

void PurgeLog::restore(NumberedPurge purge, SteadyTime now) {
  std::unique_lock lock(mutex_);
  std::uint64_t number = purge.number;
  put(std::move(purge), now);
  newest_.store(number, std::memory_order_release);
}

/// Under the lock.
void PurgeLog::put(NumberedPurge numbered, SteadyTime now) {
  Purge& purge = numbered.purge;
  Remembered remembered{numbered.number, now, purge.by, 0, {}};
  std::string text = (key_host_ ? purge.host : std::string()) + purge.text;
  Mark* mark = nullptr;
  if (purge.by == PurgeBy::prefix) {
    mark = &prefixes_[text];
    remembered.prefix = std::move(text);
  } else {
    remembered.hash = mark_hash(purge.by, text);
    mark = &marks_[remembered.hash];
  }
  (purge.soft ? mark->soft : mark->hard) = numbered.number;
  if (purge.soft) mark->soft_at = numbered.at;
  mark->at = now;
  if (purge.by == PurgeBy::tag) newest_tag_at_ = now;
  ++counts_[static_cast<std::size_t>(purge.by)];
  order_.push_back(std::move(remembered));
  newest_at_.store(now, std::memory_order_release);
}

/// Under the lock. A mark that a later purge raised again stays.
void PurgeLog::drop_oldest() {
  const Remembered& oldest = order_.front();
  auto outlived = [&](const Mark& mark) { return std::max(mark.hard, mark.soft) <= oldest.number; };
  if (oldest.by == PurgeBy::prefix) {
    auto at = prefixes_.find(oldest.prefix);
    if (at != prefixes_.end() && outlived(at->second)) prefixes_.erase(at);
  } else {
    auto at = marks_.find(oldest.hash);
    if (at != marks_.end() && outlived(at->second)) marks_.erase(at);
  }
  --counts_[static_cast<std::size_t>(oldest.by)];
  forgotten_ = oldest.number;
  order_.pop_front();
}

template <class See>
void PurgeLog::at_hash(std::uint64_t hash, See&& see) const {
  auto at = marks_.find(hash);
  if (at != marks_.end()) see(at->second);
}

/// From the greatest entry that is not above the text downwards: each step goes to what both have
/// in common, so it takes as many as there are prefixes of the text, and few others.
template <class See>
void PurgeLog::each_prefix(std::string_view text, See&& see) const {
  std::string_view rest = text;
  while (true) {
    auto at = prefixes_.upper_bound(rest);
    if (at == prefixes_.begin()) return;
    const auto& [prefix, mark] = *--at;
    if (text.starts_with(prefix)) {
      see(mark);
      if (prefix.empty()) return;
      rest = text.substr(0, prefix.size() - 1);
      continue;
    }
    auto differs = std::ranges::mismatch(prefix, rest);
    rest = rest.substr(0, static_cast<std::size_t>(differs.in2 - rest.begin()));
  }
}

template <class See>
void PurgeLog::each_mark(std::string_view key, See&& see) const {
  std::string_view primary = primary_of(key);
  std::string_view target = target_of(primary);
  if (!marks_.empty()) {
    at_hash(mark_hash(PurgeBy::all, {}), see);
    at_hash(mark_hash(PurgeBy::tenant, tenant_of(target)), see);
    at_hash(mark_hash(PurgeBy::url, target), see);
    if (key_host_) at_hash(mark_hash(PurgeBy::url, primary), see);
  }
  if (prefixes_.empty()) return;
  each_prefix(target, see);
  if (key_host_) each_prefix(primary, see);
}

PurgeVerdict PurgeLog::judge(std::uint64_t begun, std::string_view key, const Tags& tags) const {
  PurgeVerdict verdict;
  auto see = [&](const Mark& mark) {
    if (mark.hard > begun) verdict.dead = true;
    if (mark.soft > begun) {
      verdict.stale_from = std::min(verdict.stale_from.value_or(mark.soft_at), mark.soft_at);
    }
  };
  std::shared_lock lock(mutex_);
  each_mark(key, see);
  if (counts_[static_cast<std::size_t>(PurgeBy::tag)] == 0) return verdict;
  for (const std::string& tag : tags()) at_hash(mark_hash(PurgeBy::tag, tag), see);
  return verdict;
}

bool PurgeLog::purged_since(std::uint64_t begun, std::string_view key,
                            std::span<const std::string> tags) const {
  if (begun == sequence()) return false;
  {
    std::shared_lock lock(mutex_);
    if (begun < forgotten_) return true;
  }
  return !judge(begun, key, [&] { return tags; }).untouched();
}

bool PurgeLog::purged_lately(std::string_view key, SteadyTime now) const {
  SteadyTime since = now - peer_distrust;
  if (newest_at_.load(std::memory_order_acquire) < since) return false;
  std::shared_lock lock(mutex_);
  bool lately = newest_tag_at_ >= since || dropped_at_ >= since;
  each_mark(key, [&](const Mark& mark) { lately |= mark.at >= since; });
  return lately;
}

fleet::HopRoute PurgeLog::route_for(std::string_view key, fleet::HopRoute wished,
                                    SteadyTime now) const {
  bool asks = wished != fleet::HopRoute::nobody;
  return asks && purged_lately(key, now) ? fleet::HopRoute::origin_only : wished;
}

void PurgeLog::note_swept(std::uint64_t through) {
  swept_.store(through, std::memory_order_release);
}

std::uint64_t PurgeLog::forget(std::uint64_t oldest_begun, SteadyTime now) {
  std::unique_lock lock(mutex_);
  std::uint64_t through = std::min(swept(), oldest_begun);
  while (!order_.empty() && order_.front().number <= through &&
         order_.front().at < now - peer_distrust) {
    drop_oldest();
  }
  return forgotten_;
}

std::size_t PurgeLog::size() const {
  std::shared_lock lock(mutex_);
  return order_.size();
}

}  // namespace relay::edge
