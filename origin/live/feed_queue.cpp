#include "origin/live/feed_queue.hpp"

#include <utility>

namespace relay::origin::live {

using media::FeedSlot;

namespace {

bool is_header(Unit kind) {
  return static_cast<std::size_t>(kind) < header_units;
}

}  // namespace

void FeedQueue::begin(FeedSlot slot, media::FeedFormat format, SteadyTime now) {
  drop_pictures(slot, now);
  at(slot) = Slot{.format = format, .waits_since = now};
  if (attached_) push(slot, true, media::feed_begin(slot, format), now);
}

void FeedQueue::end(FeedSlot slot) {
  if (at(slot).format == media::FeedFormat::none) return;
  at(slot).format = media::FeedFormat::none;
  if (attached_) push(slot, true, media::feed_end(slot), {});
}

void FeedQueue::add(FeedSlot slot, Unit kind, std::string_view unit, SteadyTime now) {
  Slot& into = at(slot);
  if (into.format == media::FeedFormat::none) return;
  if (is_header(kind)) {
    into.headers[static_cast<std::size_t>(kind)] = unit;
    bool fits = bytes_ + unit.size() <= limits_.bytes_max;
    if (attached_ && fits) push(slot, true, media::feed_data(slot, unit), now);
    return;
  }
  if (attached_ && overflows(unit.size(), now)) {
    for (FeedSlot each : {FeedSlot::primary, FeedSlot::backup}) drop_pictures(each, now);
  }
  if (!attached_ || !may_pass(into, kind, now)) {
    ++into.dropped;
    return;
  }
  push(slot, false, media::feed_data(slot, unit), now);
}

bool FeedQueue::may_pass(Slot& slot, Unit kind, SteadyTime now) const {
  bool enough = now - slot.waits_since >= limits_.key_wait;
  if (slot.waits_for_key && (kind == Unit::key_picture || enough)) slot.waits_for_key = false;
  return !slot.waits_for_key;
}

bool FeedQueue::overflows(std::size_t more, SteadyTime now) const {
  if (bytes_ + more > limits_.bytes_max) return true;
  for (const Frame& frame : frames_) {
    if (!frame.is_control) return now - frame.came > limits_.age_max;
  }
  return false;
}

void FeedQueue::drop_pictures(FeedSlot slot, SteadyTime now) {
  Slot& of = at(slot);
  std::deque<Frame> kept;
  for (Frame& frame : frames_) {
    if (frame.slot != slot || frame.is_control) {
      kept.push_back(std::move(frame));
      continue;
    }
    bytes_ -= frame.bytes.size();
    ++of.dropped;
  }
  frames_ = std::move(kept);
  of.waits_for_key = true;
  of.waits_since = now;
}

void FeedQueue::push(FeedSlot slot, bool is_control, std::string bytes, SteadyTime now) {
  bytes_ += bytes.size();
  frames_.push_back({slot, now, is_control, std::move(bytes)});
}

void FeedQueue::push_beginning(FeedSlot slot, SteadyTime now) {
  Slot& of = at(slot);
  if (of.format == media::FeedFormat::none) return;
  of.waits_for_key = true;
  of.waits_since = now;
  push(slot, true, media::feed_begin(slot, of.format), now);
  for (const std::string& header : of.headers)
    if (!header.empty()) push(slot, true, media::feed_data(slot, header), now);
}

void FeedQueue::attach(SteadyTime now) {
  detach();
  attached_ = true;
  for (FeedSlot slot : {FeedSlot::primary, FeedSlot::backup}) push_beginning(slot, now);
}

void FeedQueue::detach() {
  attached_ = false;
  frames_.clear();
  bytes_ = 0;
}

std::string FeedQueue::take(std::size_t bytes_max) {
  std::string out;
  while (!frames_.empty() && out.size() < bytes_max) {
    bytes_ -= frames_.front().bytes.size();
    out += frames_.front().bytes;
    frames_.pop_front();
  }
  return out;
}

}  // namespace relay::origin::live
