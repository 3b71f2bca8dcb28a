#include "edge/purge_receipts.hpp"

#include <algorithm>
#include <utility>

#include "edge/fleet/trust.hpp"

namespace relay::edge {

std::string_view name(ReceiptState state) {
  switch (state) {
    case ReceiptState::applied:
      return "applied";
    case ReceiptState::fenced:
      return "fenced";
    case ReceiptState::pending:
      return "pending";
  }
  std::unreachable();
}

PurgeReceipts::PurgeReceipts(std::vector<std::string> members, std::uint64_t stamp,
                             std::chrono::milliseconds lease, SteadyTime begun)
    : stamp_(stamp), lease_(lease), begun_(begun) {
  for (std::string& member : members) members_.try_emplace(std::move(member));
}

void PurgeReceipts::note_applied(std::string_view member, const Lent& lent, SteadyTime now) {
  auto at = members_.find(member);
  if (at == members_.end() || at->second.applied) return;
  at->second.applied = Applied{now, lent};
  if (awaits_stream_) return;
  for (const auto& [name, left] : lent) members_.try_emplace(name, Member{.listed = false});
}

void PurgeReceipts::note_streamed(const std::vector<std::string>& members,
                                  const std::vector<bus::Standing>& standings, SteadyTime now) {
  if (streamed_at_) return;
  for (const std::string& member : members) members_.try_emplace(member);
  for (const bus::Standing& each : standings) standings_.insert_or_assign(each.name, each);
  streamed_at_ = now;
}

/// When the member has surely lost its trust, and what it fetched before that, or before the purge,
/// is out of use too.
std::optional<SteadyTime> PurgeReceipts::fenced_at(const std::string& member) const {
  if (lease_.count() == 0) return std::nullopt;
  auto fenced = fenced_from_majority_at(member);
  if (awaits_stream_) {
    auto standing = standings_.find(member);
    bool known = standing != standings_.end();
    if (!fenced || !streamed_at_ || (known && standing->second.old_view)) return std::nullopt;
    SteadyTime asked = *streamed_at_;
    if (known) asked = std::min(asked, standing->second.heard_until);
    fenced = std::max(*fenced, asked + lease_);
  }
  if (fenced) *fenced = std::max(*fenced, begun_) + fleet::flight_distrust;
  return fenced;
}

/// By what others have lent it.
std::optional<SteadyTime> PurgeReceipts::fenced_from_majority_at(const std::string& member) const {
  std::size_t listed = 0, unaware = 0;
  std::vector<SteadyTime> lent_until;
  for (const auto& [name, each] : members_) {
    if (each.listed) ++listed;
    if (each.listed && !each.applied) ++unaware;
    if (!each.applied) continue;
    auto lent = each.applied->lent.find(member);
    if (lent != each.applied->lent.end()) lent_until.push_back(each.applied->at + lent->second);
  }
  // Half of an even number would do, but not for the majority of one more.
  if (!awaits_stream_ && listed - unaware < fleet::majority(listed)) return std::nullopt;
  return fleet::fenced_at(listed, unaware, lent_until);
}

bool PurgeReceipts::all_applied() const {
  return std::ranges::all_of(members_,
                             [](const auto& each) { return each.second.applied.has_value(); });
}

std::optional<SteadyTime> PurgeReceipts::settled_at() const {
  if (awaits_stream_ && !streamed_at_) return std::nullopt;
  SteadyTime latest = SteadyTime::min();
  for (const auto& [name, member] : members_) {
    if (member.applied) continue;
    auto fenced = fenced_at(name);
    if (!fenced) return std::nullopt;
    latest = std::max(latest, *fenced);
  }
  return latest;
}

std::vector<Receipt> PurgeReceipts::list(SteadyTime now) const {
  std::vector<Receipt> receipts;
  for (const auto& [name, member] : members_) {
    Receipt receipt{name, ReceiptState::pending, {}};
    SteadyTime then = now;
    if (member.applied) {
      receipt.state = ReceiptState::applied;
      then = std::max(member.applied->at, begun_);
    } else if (auto fenced = fenced_at(name); fenced && *fenced <= now) {
      receipt.state = ReceiptState::fenced;
      then = std::max(*fenced, begun_);
    }
    receipt.after = std::chrono::ceil<std::chrono::microseconds>(then - begun_);
    receipts.push_back(std::move(receipt));
  }
  return receipts;
}

}  // namespace relay::edge
