// What one rendition's playlist shows: its segments by the channel's grid, parts of the one that is
// being made, gaps where nothing was made, and how it slides. Pure.
//
// A segment goes through: open (parts are shown as they come) → closing (all parts are there, its
// record is being written) → complete. Numbers have no holes: what is passed over is a gap.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "common/media/live_playlist.hpp"
#include "origin/live/grid.hpp"
#include "origin/live/segment.hpp"

namespace relay::origin::live {

/// Numbers of segments; `end` is not among them.
struct SegmentSpan {
  std::int64_t first = 0, end = 0;
  bool is_empty() const { return first >= end; }
  bool holds(std::int64_t number) const { return number >= first && number < end; }
  friend bool operator==(const SegmentSpan&, const SegmentSpan&) = default;
};

class Window {
 public:
  Window(Grid grid, std::int64_t timescale) : grid_(std::move(grid)), timescale_(timescale) {}

  /// The number that the playlist begins with; once.
  void begin_at(std::int64_t segment) { next_ = segment; }
  const media::LiveSetup& setup() const { return grid_.setup(); }
  bool has_begun() const { return next_ >= 0; }
  /// After a restart: complete segments in their order. What is missing between them was a gap.
  void restore(std::vector<Segment> segments);
  /// After a restart: a segment that is not complete, with its parts; it is behind those that are.
  void take_up(Segment segment, bool closing);

  enum class Fit { next, same, late, early };
  /// Whether a part may be added now: next: yes. same: it is there with these bytes. late: its
  /// place is taken or passed. early: a part before it in its segment is missing, or its forerunner
  /// is still closing.
  Fit fit(std::int64_t segment, std::int64_t part, const Digest128& digest) const;
  /// Of a part that fits: where its bytes belong in the segment's file.
  std::uint64_t offset_of(std::int64_t segment) const;
  /// Of a part that fits; what was passed over becomes gaps. `last`: the segment is closing.
  void add(std::int64_t segment, const Part& part, bool last);
  /// The segment that is closing; its record is to be written. nullptr: none.
  const Segment* closing() const { return is_closing_ ? &*open_ : nullptr; }
  /// The closing one is complete, or could not be kept: then it is a gap.
  void settle(bool kept);
  /// No more parts come: an open segment closes with those that it has.
  void close_open() { is_closing_ = open_.has_value(); }
  /// All that should be over before segment `end` is: what is not complete becomes a gap, but one
  /// that is closing stays. True: something changed.
  bool fill_until(std::int64_t end);

  /// The first number that is not complete.
  std::int64_t next() const { return next_; }
  /// The first part that is missing: behind a closing segment the first of the next one.
  media::LivePosition reached() const;
  const std::deque<Segment>& segments() const { return segments_; }
  /// Whether that segment is complete and no gap.
  bool has(std::int64_t number) const;
  const std::optional<Segment>& open() const { return open_; }
  std::uint64_t bytes() const { return bytes_; }
  std::int64_t duration_us() const;
  /// Of so many of the last segments parts can be had: they leave the playlist after three target
  /// durations, and stay for three more (6.2.2).
  std::size_t segments_with_parts() const;

  /// Takes the oldest segments out until no more than `duration_us` are left; at least three target
  /// durations (6.2.2) and six segments stay, and gaps at the beginning go first.
  std::vector<Segment> slide(std::int64_t duration_us);
  /// Takes out what lies before that number.
  std::vector<Segment> drop_before(std::int64_t first);
  /// Takes one segment out, if as many stay.
  std::optional<Segment> drop_oldest();
  /// At its end: takes out what lies before and behind the span.
  std::vector<Segment> keep_only(SegmentSpan span);

  /// Viewers are shown it as it is now.
  void note_shown();
  /// Of one that has just been taken out: how long it must be had yet, for its own duration and
  /// that of the longest playlist that showed it (6.2.2).
  std::int64_t stays_us(std::int64_t number) const;

  /// What viewers see; without reports.
  media::LiveWindow show(bool ended) const;
  std::int64_t microseconds(std::int64_t ticks) const;
  /// Where its key pictures lie.
  std::vector<media::KeyPicture> keys_of(const Segment& segment) const;

 private:
  bool may_drop() const;
  Segment take_oldest();
  media::LiveSegment shown(const Segment& segment, bool complete, bool with_parts) const;
  void append_missing(media::LiveSegment& gap) const;

  Grid grid_;
  std::int64_t timescale_;
  std::int64_t next_ = -1;
  std::deque<Segment> segments_;  // complete ones, gaps among them
  std::optional<Segment> open_;   // number next_
  bool is_closing_ = false;
  std::uint64_t bytes_ = 0;  // of segments_
  struct Shown {
    std::int64_t last, us;  // a playlist up to segment `last`, so long
  };
  /// Those that were the longest to show a segment that is still there: ever shorter ones.
  std::deque<Shown> shown_;
};

}  // namespace relay::origin::live
