#include "origin/live/feed.hpp"

#include <fmt/format.h>

namespace relay::origin::live {

namespace {

constexpr media::FeedSlot slots[] = {media::FeedSlot::primary, media::FeedSlot::backup};

std::string busy_text(media::FeedSlot slot) {
  media::FeedSlot other =
      slot == media::FeedSlot::primary ? media::FeedSlot::backup : media::FeedSlot::primary;
  return fmt::format(
      "somebody publishes on slot {} of this channel already; publish beside him with slot={}, or "
      "in his place once the channel has \"busy_slot\": \"{}\"",
      media::name(slot), media::name(other), name(BusySlot::replace));
}

}  // namespace

Result<std::unique_ptr<Feed>> FeedLine::open(media::FeedSlot slot, media::FeedFormat format,
                                             BusySlot busy, AdmittedBy by) {
  std::uint64_t id = 0;
  {
    std::lock_guard lock(mutex_);
    if (!closed_why_.empty()) return fail(ErrorKind::unavailable, ErrorSource::client, closed_why_);
    SteadyTime now = steady_now();
    bool is_busy = at(slot).feed != 0 && now - at(slot).wrote < quiet_max;
    if (!is_busy || busy == BusySlot::replace) {
      id = ++last_feed_;
      at(slot) = {id, by, now};
      queue_.begin(slot, format, now);
    }
  }
  if (id == 0) {
    note_refusal(slot, "somebody publishes there already");
    return fail(ErrorKind::conflict, ErrorSource::client, busy_text(slot));
  }
  filled_.notify();
  changed_();
  return std::make_unique<Feed>(shared_from_this(), slot, id);
}

void FeedLine::note_refusal(media::FeedSlot slot, std::string why) {
  {
    std::lock_guard lock(mutex_);
    add_refusal(slot, std::move(why));
  }
  changed_();
}

void FeedLine::add_refusal(media::FeedSlot slot, std::string why) {
  Refused& refused = refused_[static_cast<std::size_t>(slot)];
  refused = {refused.count + 1, steady_now(), wall_now(), std::move(why)};
}

Refusals FeedLine::refusals(media::FeedSlot slot) const {
  std::lock_guard lock(mutex_);
  const Refused& refused = refused_[static_cast<std::size_t>(slot)];
  bool is_recent = refused.count > 0 && steady_now() - refused.last < refusal_shown;
  return {refused.count, is_recent ? refused.why : "", refused.at};
}

bool FeedLine::is_taken(media::FeedSlot slot) const {
  std::lock_guard lock(mutex_);
  return holders_[static_cast<std::size_t>(slot)].feed != 0;
}

std::uint64_t FeedLine::dropped(media::FeedSlot slot) const {
  std::lock_guard lock(mutex_);
  return queue_.dropped(slot);
}

void FeedLine::close(std::string why) {
  std::lock_guard lock(mutex_);
  closed_why_ = std::move(why);
  for (media::FeedSlot slot : slots) let_go(slot);
}

void FeedLine::revoke() {
  {
    std::lock_guard lock(mutex_);
    for (media::FeedSlot slot : slots)
      if (at(slot).by == AdmittedBy::stream_key) let_go(slot);
  }
  filled_.notify();
  changed_();
}

void FeedLine::let_go(media::FeedSlot slot) {
  at(slot) = {};
  queue_.end(slot);
}

void FeedLine::attach() {
  std::lock_guard lock(mutex_);
  queue_.attach(steady_now());
}

void FeedLine::detach() {
  std::lock_guard lock(mutex_);
  queue_.detach();
}

std::string FeedLine::take(std::size_t bytes_max) {
  std::lock_guard lock(mutex_);
  return queue_.take(bytes_max);
}

bool FeedLine::write(const Feed& feed, std::string_view unit, Unit kind) {
  bool was_empty = false;
  {
    std::lock_guard lock(mutex_);
    if (at(feed.slot_).feed != feed.id_) return false;
    if (unit.size() > media::feed_payload_bytes_max) return true;  // dropped
    was_empty = queue_.empty();
    SteadyTime now = steady_now();
    at(feed.slot_).wrote = now;
    queue_.add(feed.slot_, kind, unit, now);
    if (queue_.empty()) return true;
  }
  if (was_empty) filled_.notify();
  return true;
}

void FeedLine::end(const Feed& feed, std::string refused_why) {
  {
    std::lock_guard lock(mutex_);
    if (at(feed.slot_).feed != feed.id_) return;
    if (!refused_why.empty()) add_refusal(feed.slot_, std::move(refused_why));
    let_go(feed.slot_);
  }
  filled_.notify();
  changed_();
}

}  // namespace relay::origin::live
