#include "edge/cache/policy.hpp"

#include <algorithm>
#include <cmath>

#include "common/base/check.hpp"

namespace relay::edge::cache {
namespace {

constexpr int steps_an_octave = 16;

/// The number of the step that `term` (> 0) falls in.
int step_of(double term) {
  int exponent = 0;
  double mantissa = std::frexp(term, &exponent);  // 0.5 <= mantissa < 1
  return exponent * steps_an_octave + static_cast<int>((mantissa - 0.5) * 2 * steps_an_octave);
}

/// Where the step begins.
double begin_of(int step) {
  int exponent =
      step >= 0 ? step / steps_an_octave : -((steps_an_octave - 1 - step) / steps_an_octave);
  double mantissa = 0.5 + (step - exponent * steps_an_octave) / (2.0 * steps_an_octave);
  return std::ldexp(mantissa, exponent);
}

double sane(double value) {
  return std::isfinite(value) ? std::clamp(value, 1e-6, 1e6) : 1.0;
}

}  // namespace

Policy::Policy(const PolicySettings& settings)
    : settings_(settings), sketch_(settings.sketch_columns) {
}

bool Policy::admit(std::uint64_t hash) {
  sketch_.add(hash);
  return sketch_.count(hash) >= settings_.admission_uses;
}

void Policy::insert(Id id, std::uint64_t hash, std::uint64_t bytes, double value) {
  RELAY_CHECK(!places_.contains(id));
  double size = static_cast<double>(std::max<std::uint64_t>(bytes, 1));
  Entry entry{id, hash, sane(value) * std::pow(size, -settings_.size_exponent), 0, 0};
  place(entry);
  Queue& queue = queues_[entry.step];
  places_[id] = queue.insert(queue.end(), entry);
}

void Policy::place(Entry& entry) const {
  double uses = std::max(1u, sketch_.count(entry.hash));
  entry.step = step_of(uses * entry.weight);
  entry.priority = inflation_ + begin_of(entry.step);
}

void Policy::touch(Id id) {
  auto known = places_.find(id);
  if (known == places_.end()) return;
  Entry& entry = *known->second;
  sketch_.add(entry.hash);
  auto from = queues_.find(entry.step);
  place(entry);
  Queue& to = queues_[entry.step];
  to.splice(to.end(), from->second, known->second);
  if (from->second.empty()) queues_.erase(from);
}

void Policy::take_out(std::unordered_map<Id, Queue::iterator>::iterator at) {
  auto queue = queues_.find(at->second->step);
  queue->second.erase(at->second);
  if (queue->second.empty()) queues_.erase(queue);
  places_.erase(at);
}

void Policy::erase(Id id) {
  auto known = places_.find(id);
  if (known != places_.end()) take_out(known);
}

std::optional<Policy::Id> Policy::victim() const {
  const Entry* lowest = nullptr;
  for (const auto& [step, queue] : queues_) {
    if (!lowest || queue.front().priority < lowest->priority) lowest = &queue.front();
  }
  if (!lowest) return std::nullopt;
  return lowest->id;
}

void Policy::evict(Id id) {
  auto known = places_.find(id);
  RELAY_CHECK(known != places_.end());
  inflation_ = std::max(inflation_, known->second->priority);
  take_out(known);
}

}  // namespace relay::edge::cache
