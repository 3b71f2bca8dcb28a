// What publishers of one channel have sent and the transcoder has not taken yet: frames of
// common/media/feed.hpp, bounded in bytes and age. Pure: time comes in as a value.
//
// Whole pictures are dropped, never half of one: when the queue overflows, or while nobody takes
// frames, a slot's units are dropped up to its next key picture, so that what comes out can be
// decoded from there. The headers of a stream are remembered, so that a transcoder that starts in
// the middle of it gets them first.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/media/feed.hpp"

namespace relay::origin::live {

/// What a unit of a publisher's stream is. Of each header the newest counts.
enum class Unit { start, metadata, video_header, audio_header, key_picture, other };
inline constexpr std::size_t header_units = 4;  // the kinds before key_picture

struct FeedLimits {
  std::size_t bytes_max = 16 << 20;
  std::chrono::milliseconds age_max{2000};
  /// A stream without a key picture for so long (sound only, or an odd encoder) goes on without.
  std::chrono::milliseconds key_wait{3000};
};

class FeedQueue {
 public:
  explicit FeedQueue(FeedLimits limits = {}) : limits_(limits) {}

  /// A publisher's stream begins; what was left of the slot's last one is dropped.
  void begin(media::FeedSlot slot, media::FeedFormat format, SteadyTime now);
  void add(media::FeedSlot slot, Unit kind, std::string_view unit, SteadyTime now);
  void end(media::FeedSlot slot);

  /// A transcoder is there from now on: it gets the beginning of every stream that runs.
  void attach(SteadyTime now);
  /// It is gone.
  void detach();

  bool empty() const { return frames_.empty(); }
  std::size_t bytes() const { return bytes_; }
  /// The frames that wait, up to about `bytes_max`, as bytes for descriptor 3.
  std::string take(std::size_t bytes_max);
  /// Units of the slot's present stream that nobody will see.
  std::uint64_t dropped(media::FeedSlot slot) const { return at(slot).dropped; }

 private:
  struct Slot {
    media::FeedFormat format = media::FeedFormat::none;  // none: nobody publishes
    std::array<std::string, header_units> headers;
    bool waits_for_key = true;
    SteadyTime waits_since{};
    std::uint64_t dropped = 0;
  };
  struct Frame {
    media::FeedSlot slot;
    SteadyTime came;
    bool is_control;  // begin, end and headers: never dropped
    std::string bytes;
  };
  Slot& at(media::FeedSlot slot) { return slots_[static_cast<std::size_t>(slot)]; }
  const Slot& at(media::FeedSlot slot) const { return slots_[static_cast<std::size_t>(slot)]; }
  void push(media::FeedSlot slot, bool is_control, std::string bytes, SteadyTime now);
  void push_beginning(media::FeedSlot slot, SteadyTime now);
  void drop_pictures(media::FeedSlot slot, SteadyTime now);
  bool overflows(std::size_t more, SteadyTime now) const;
  bool may_pass(Slot& slot, Unit kind, SteadyTime now) const;

  const FeedLimits limits_;
  std::array<Slot, media::feed_slots> slots_;
  std::deque<Frame> frames_;
  std::size_t bytes_ = 0;
  bool attached_ = false;
};

}  // namespace relay::origin::live
