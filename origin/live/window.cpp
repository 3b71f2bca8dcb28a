#include "origin/live/window.hpp"

#include <algorithm>

#include "common/base/check.hpp"

namespace relay::origin::live {
namespace {

constexpr std::int64_t targets_kept = 3;  // 6.2.2
constexpr std::size_t segments_kept = 6;  // Apple's authoring specification, 8.11

}  // namespace

std::int64_t Window::microseconds(std::int64_t ticks) const {
  return static_cast<std::int64_t>(
      (static_cast<__int128>(ticks) * media::us_per_s + timescale_ / 2) / timescale_);
}

std::vector<media::KeyPicture> Window::keys_of(const Segment& segment) const {
  std::vector<media::KeyPicture> keys;
  std::int64_t ticks = 0;
  for (std::size_t i = 0; i < segment.parts.size(); ++i) {
    const media::KeyPicture& key = segment.parts[i].key;
    if (key.bytes > 0)
      keys.push_back({segment.offset_of(i) + key.offset, key.bytes, microseconds(ticks)});
    ticks += segment.parts[i].ticks;
  }
  return keys;
}

void Window::restore(std::vector<Segment> segments) {
  if (segments.empty()) return;
  begin_at(segments.front().number);
  for (Segment& segment : segments) {
    fill_until(segment.number);
    bytes_ += segment.bytes();
    next_ = segment.number + 1;
    segments_.push_back(std::move(segment));
  }
}

void Window::take_up(Segment segment, bool closing) {
  RELAY_CHECK(!open_ && segment.number >= next_);
  fill_until(segment.number);
  open_ = std::move(segment);
  is_closing_ = closing;
}

Window::Fit Window::fit(std::int64_t segment, std::int64_t part, const Digest128& digest) const {
  if (segment < next_) return Fit::late;
  if (segment > next_ || !open_) {
    if (part != 0 || (is_closing_ && segment > next_)) return Fit::early;
    return Fit::next;
  }
  auto there = static_cast<std::int64_t>(open_->parts.size());
  if (part > there) return Fit::early;
  if (part < there)
    return open_->parts[static_cast<std::size_t>(part)].digest == digest ? Fit::same : Fit::late;
  return is_closing_ ? Fit::late : Fit::next;
}

std::uint64_t Window::offset_of(std::int64_t segment) const {
  return open_ && open_->number == segment ? open_->bytes() : 0;
}

void Window::add(std::int64_t segment, const Part& part, bool last) {
  RELAY_CHECK(!is_closing_ && segment >= next_);
  fill_until(segment);
  if (!open_) open_ = Segment{.number = segment};
  open_->parts.push_back(part);
  is_closing_ = last;
}

void Window::settle(bool kept) {
  RELAY_CHECK(is_closing_);
  open_->gap = !kept;
  bytes_ += open_->bytes();
  segments_.push_back(std::move(*open_));
  open_.reset();
  is_closing_ = false;
  ++next_;
}

bool Window::fill_until(std::int64_t end) {
  if (!has_begun() || is_closing_ || next_ >= end) return false;
  for (; next_ < end; ++next_) {
    Segment gap = open_ ? std::move(*open_) : Segment{.number = next_};
    open_.reset();
    gap.gap = true;
    bytes_ += gap.bytes();
    segments_.push_back(std::move(gap));
  }
  return true;
}

std::int64_t Window::duration_us() const {
  if (segments_.empty()) return 0;
  return grid_.begin_us(next_) - grid_.begin_us(segments_.front().number);
}

std::size_t Window::segments_with_parts() const {
  const media::LiveSetup& setup = grid_.setup();
  std::int64_t us = 2 * targets_kept * setup.target_duration_s() * media::us_per_s;
  // One is cut by either end of that time.
  return static_cast<std::size_t>(us / setup.microseconds_of(setup.segment_frames)) + 2;
}

bool Window::may_drop() const {
  if (segments_.size() <= segments_kept) return false;
  std::int64_t left = duration_us() - grid_.length_us(segments_.front().number);
  return left >= targets_kept * grid_.setup().target_duration_s() * media::us_per_s;
}

Segment Window::take_oldest() {
  Segment oldest = std::move(segments_.front());
  segments_.pop_front();
  bytes_ -= oldest.bytes();
  return oldest;
}

std::vector<Segment> Window::slide(std::int64_t duration_us_max) {
  std::vector<Segment> gone;
  while (may_drop() && (duration_us() > duration_us_max || segments_.front().gap))
    gone.push_back(take_oldest());
  return gone;
}

std::optional<Segment> Window::drop_oldest() {
  if (!may_drop()) return std::nullopt;
  return take_oldest();
}

media::LivePosition Window::reached() const {
  if (is_closing_) return {next_ + 1, 0};
  return {next_, open_ ? static_cast<std::int64_t>(open_->parts.size()) : 0};
}

bool Window::has(std::int64_t number) const {
  if (segments_.empty() || number < segments_.front().number || number >= next_) return false;
  return !segments_[static_cast<std::size_t>(number - segments_.front().number)].gap;
}

std::vector<Segment> Window::drop_before(std::int64_t first) {
  std::vector<Segment> gone;
  while (!segments_.empty() && segments_.front().number < first) gone.push_back(take_oldest());
  return gone;
}

std::vector<Segment> Window::keep_only(SegmentSpan span) {
  std::vector<Segment> gone = drop_before(span.first);
  while (!segments_.empty() && segments_.back().number >= span.end) {
    next_ = segments_.back().number;
    bytes_ -= segments_.back().bytes();
    gone.push_back(std::move(segments_.back()));
    segments_.pop_back();
  }
  return gone;
}

void Window::note_shown() {
  if (segments_.empty()) return;
  std::int64_t us = duration_us();
  while (!shown_.empty() && shown_.front().last < segments_.front().number) shown_.pop_front();
  while (!shown_.empty() && shown_.back().us <= us) shown_.pop_back();
  shown_.push_back({next_ - 1, us});
}

std::int64_t Window::stays_us(std::int64_t number) const {
  auto longest = std::ranges::find_if(shown_, [&](const Shown& it) { return it.last >= number; });
  // After a restart nobody knows: as long as it is now.
  std::int64_t us = longest == shown_.end() ? duration_us() : longest->us;
  return us + grid_.length_us(number);
}

media::LiveSegment Window::shown(const Segment& segment, bool complete, bool with_parts) const {
  media::LiveSegment out{
      .number = segment.number,
      .microseconds = segment.gap ? grid_.length_us(segment.number) : microseconds(segment.ticks()),
      .date_us = grid_.begin_us(segment.number),
      .gap = segment.gap,
      .complete = complete};
  if (!with_parts) return out;
  for (const Part& part : segment.parts)
    out.parts.push_back({microseconds(part.ticks), part.independent});
  if (segment.gap) append_missing(out);
  return out;
}

// Who counts in parts (8216bis 6.2.1) would take a gap without any for a segment that has not
// begun: hls.js asks for the next part of the one before, again and again.
void Window::append_missing(media::LiveSegment& gap) const {
  const media::LiveSetup& setup = grid_.setup();
  auto end_us = [&](std::int64_t part) {
    return setup.microseconds_of(gap.number * setup.segment_frames + setup.part_frame(part));
  };
  for (auto part = static_cast<std::int64_t>(gap.parts.size()); part < setup.parts_per_segment();
       ++part)
    gap.parts.push_back({.microseconds = end_us(part + 1) - end_us(part), .gap = true});
}

media::LiveWindow Window::show(bool ended) const {
  media::LiveWindow window{.target_duration_s = grid_.setup().target_duration_s(),
                           .part_target_ms = grid_.setup().part_target_ms(),
                           .ended = ended};
  std::int64_t shown_us = (targets_kept + 1) * window.target_duration_s * media::us_per_s;
  for (const Segment& segment : segments_) {
    bool is_recent = grid_.begin_us(next_) - grid_.begin_us(segment.number) <= shown_us;
    window.segments.push_back(shown(segment, true, is_recent && !ended));
  }
  if (open_ && !ended) {
    window.segments.push_back(shown(*open_, false, true));
    window.segments.back().closing = is_closing_;
  }
  return window;
}

}  // namespace relay::origin::live
