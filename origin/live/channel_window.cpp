// What leaves a channel's windows, and what a restart must know of that.
#include <algorithm>
#include <utility>

#include "common/base/log.hpp"
#include "origin/live/channel.hpp"

namespace relay::origin::live {

using std::chrono::milliseconds;

void Channel::slide() {
  const ChannelRules rules = this->rules();
  if (holds_ == 0) slide(*rules.dvr, *rules.dvr_size_max);
}

void Channel::slide(milliseconds dvr, std::uint64_t bytes_max) {
  std::uint64_t bytes = 0;
  for (auto& each : tracks_) {
    leave(*each, each->window.slide(dvr.count() * 1000));
    bytes += each->window.bytes();
  }
  // All renditions lose the same numbers.
  while (bytes > bytes_max) {
    std::uint64_t before = bytes;
    for (auto& each : tracks_) {
      auto gone = each->window.drop_oldest();
      if (!gone) continue;
      bytes -= gone->bytes();
      leave(*each, {std::move(*gone)});
    }
    if (bytes == before) return;
  }
}

/// By the bounds that an earlier run had: what had left the window is kept for a while, and is not
/// to be shown again.
void Channel::slide_as_before() {
  const auto last = record()->window;
  if (!last) return;
  slide(last->dvr, last->dvr_size_max);
  for (auto& each : tracks_) leave(*each, each->window.drop_before(last->first));
}

WindowMark Channel::window_mark(const ChannelRules& rules) const {
  WindowMark mark{*rules.dvr, *rules.dvr_size_max, 0};
  std::optional<std::int64_t> first;
  for (const auto& each : tracks_) {
    if (each->window.segments().empty()) continue;
    std::int64_t begin = each->window.segments().front().number;
    first = std::min(first.value_or(begin), begin);
  }
  mark.first = first.value_or(0);
  return mark;
}

/// Once it is kept by other bounds than before. A restart before that is saved shows less, no harm.
void Channel::mark_window() {
  const ChannelRules rules = this->rules();
  const auto last = record()->window;
  bool is_same = last && last->dvr == *rules.dvr && last->dvr_size_max == *rules.dvr_size_max;
  if (grid_ && !is_same) net::spawn(parts_.io, save_window(shared_from_this()));
}

void Channel::leave(const Track& track, const std::vector<Segment>& gone) {
  Leftovers::Segments left{record(), track.shared->name, {}};
  std::int64_t stay_us = 0;
  for (const Segment& segment : gone) {
    if (segment.parts.empty()) continue;
    left.numbers.push_back(segment.number);
    stay_us = std::max(stay_us, track.window.stays_us(segment.number));
  }
  if (!left.numbers.empty())
    parts_.leftovers.add(steady_now() + milliseconds(stay_us / 1000), std::move(left));
}

net::Task<void> Channel::save_window(Self self) {
  std::function<void(ChannelRecord&)> mark = [&](ChannelRecord& record) {
    record.window = self->window_mark(in_force(record.rules, self->parts_.settings));
  };
  auto saved = co_await save(self, mark);
  if (saved || self->stopped_ || self->ended_) co_return;
  log::warn("how a channel's window is kept could not be saved",
            {log::kv("asset", self->record()->job.asset), log::kv("why", saved.error().message)});
}

}  // namespace relay::origin::live
