#include "transcoder/delivery.hpp"

#include <algorithm>
#include <utility>

namespace relay::transcoder {

AlreadyPublished Delivery::published(const std::string& name) {
  std::lock_guard lock(mutex_);
  return sink_.published(name);
}

Result<int> Delivery::open(TrackSpec track) {
  std::lock_guard lock(mutex_);
  track.track = tracks_++;
  if (auto opened = sink_.open_track(track); !opened) return std::unexpected(opened.error());
  return track.track;
}

void Delivery::deliver(Segment segment) {
  std::lock_guard lock(mutex_);
  if (!failure_) note(sink_.segment(std::move(segment)));
}

void Delivery::thumbnails(ThumbnailSheet sheet) {
  std::lock_guard lock(mutex_);
  if (!failure_) note(sink_.thumbnails(std::move(sheet)));
}

void Delivery::captions(CaptionChannels channels) {
  if (channels.none()) return;
  std::lock_guard lock(mutex_);
  if (failure_ || (captions_ | channels) == captions_) return;
  captions_ |= channels;
  note(sink_.captions(captions_));
}

void Delivery::progress(double fraction, const std::string& stage) {
  std::lock_guard lock(mutex_);
  if (failure_) return;
  fraction_ = std::clamp(fraction, fraction_, 1.0);
  note(sink_.progress(fraction_, stage));
}

void Delivery::fail_with(Error error) {
  std::lock_guard lock(mutex_);
  note(std::unexpected(std::move(error)));
}

void Delivery::note(const Result<void>& outcome) {
  if (outcome || failure_) return;
  failure_ = outcome.error();
  stop_.stop();
}

std::optional<Error> Delivery::failure() {
  std::lock_guard lock(mutex_);
  return failure_;
}

}  // namespace relay::transcoder
