#include "origin/live/feed.hpp"

#include <fmt/format.h>

namespace relay::origin::live {

Result<std::unique_ptr<Feed>> FeedLine::open(media::FeedSlot slot, media::FeedFormat format,
                                             BusySlot busy) {
  std::uint64_t id = 0;
  {
    std::lock_guard lock(mutex_);
    if (!closed_why_.empty()) return fail(ErrorKind::unavailable, ErrorSource::client, closed_why_);
    if (at(slot) != 0 && busy == BusySlot::refuse) {
      return fail(
          ErrorKind::conflict, ErrorSource::client,
          fmt::format("somebody publishes on slot {} of this channel already", media::name(slot)));
    }
    id = at(slot) = ++last_feed_;
    queue_.begin(slot, format, steady_now());
  }
  filled_.notify();
  changed_();
  return std::make_unique<Feed>(shared_from_this(), slot, id);
}

bool FeedLine::is_taken(media::FeedSlot slot) const {
  std::lock_guard lock(mutex_);
  return holders_[static_cast<std::size_t>(slot)] != 0;
}

std::uint64_t FeedLine::dropped(media::FeedSlot slot) const {
  std::lock_guard lock(mutex_);
  return queue_.dropped(slot);
}

void FeedLine::close(std::string why) {
  std::lock_guard lock(mutex_);
  closed_why_ = std::move(why);
  for (media::FeedSlot slot : {media::FeedSlot::primary, media::FeedSlot::backup}) {
    queue_.end(slot);
    at(slot) = 0;
  }
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
    if (at(feed.slot_) != feed.id_) return false;
    if (unit.size() > media::feed_payload_bytes_max) return true;
    was_empty = queue_.empty();
    queue_.add(feed.slot_, kind, unit, steady_now());
    if (queue_.empty()) return true;
  }
  if (was_empty) filled_.notify();
  return true;
}

void FeedLine::end(const Feed& feed) {
  {
    std::lock_guard lock(mutex_);
    if (at(feed.slot_) != feed.id_) return;
    at(feed.slot_) = 0;
    queue_.end(feed.slot_);
  }
  filled_.notify();
  changed_();
}

}  // namespace relay::origin::live
