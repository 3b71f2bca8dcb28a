#include "origin/jobs/queue.hpp"

#include <algorithm>
#include <utility>

namespace relay::origin::jobs {

bool same_job(const media::Job& a, const media::Job& b) {
  return is_job_of(a, b.tenant, b.asset, b.version);
}

bool is_job_of(const media::Job& job, const std::string& tenant, const std::string& asset,
               const std::string& version) {
  return job.tenant == tenant && job.asset == asset && (version.empty() || job.version == version);
}

bool Queue::add(Waiting waiting, SteadyTime now) {
  if (contains(waiting.job)) return false;
  if (waiting.rank == SteadyTime{}) {
    auto seconds = std::min<std::uint64_t>(waiting.job.source_bytes / bytes_per_s, 7 * 24 * 3600);
    waiting.rank = now + std::chrono::seconds(seconds);
  }
  waiting_.push_back(std::move(waiting));
  return true;
}

std::uint64_t Queue::last_turn(const media::Job& job) const {
  auto at = turns_.find({job.kind, job.tenant});
  return at == turns_.end() ? 0 : at->second;
}

std::optional<Waiting> Queue::take(media::JobKind kind, SteadyTime now) {
  auto before = [&](const Waiting& a, const Waiting& b) {
    return std::pair(last_turn(a.job), a.rank) < std::pair(last_turn(b.job), b.rank);
  };
  auto best = waiting_.end();
  for (auto it = waiting_.begin(); it != waiting_.end(); ++it) {
    bool eligible = it->job.kind == kind && it->not_before <= now;
    if (eligible && (best == waiting_.end() || before(*it, *best))) best = it;
  }
  if (best == waiting_.end()) return std::nullopt;
  Waiting taken = std::move(*best);
  waiting_.erase(best);
  turns_[{kind, taken.job.tenant}] = ++turn_;
  return taken;
}

bool Queue::wants_room(const media::Job& running, SteadyTime now) const {
  return std::ranges::any_of(waiting_, [&](const Waiting& waiting) {
    const media::Job& job = waiting.job;
    if (job.kind != running.kind || waiting.not_before > now) return false;
    return job.tenant != running.tenant || job.source_bytes < running.source_bytes;
  });
}

std::optional<SteadyTime> Queue::next_end_of_pause(SteadyTime now) const {
  std::optional<SteadyTime> next;
  for (const Waiting& waiting : waiting_)
    if (waiting.not_before > now && (!next || waiting.not_before < *next))
      next = waiting.not_before;
  return next;
}

bool Queue::contains(const media::Job& job) const {
  return std::ranges::any_of(waiting_, [&](auto& other) { return same_job(other.job, job); });
}

void Queue::remove(const std::string& tenant, const std::string& asset,
                   const std::string& version) {
  std::erase_if(waiting_,
                [&](auto& waiting) { return is_job_of(waiting.job, tenant, asset, version); });
}

}  // namespace relay::origin::jobs
