// One publisher's stream on its way into a channel, and the line that the streams of both slots
// take to the transcoder. For listeners: Channels::admit() gives a Feed, what comes from the
// publisher goes into write(), and a listener that reads no more ends it.
//
// Thread-safe: a listener may live on any worker.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "common/net/broadcast.hpp"
#include "origin/live/channel_rules.hpp"
#include "origin/live/feed_queue.hpp"

namespace relay::origin::live {

/// A new stream key ends those who came by the one before, as SRT's passphrase is made of it too.
enum class AdmittedBy { stream_key, tenant_key };

class Feed;

/// Publishers that one slot did not take.
struct Refusals {
  std::uint64_t count = 0;
  std::string recent;  // why the last one was not taken, for refusal_shown; empty: none lately
  WallTime at{};       // when that was
};
inline constexpr std::chrono::milliseconds refusal_shown{60'000};
inline constexpr std::chrono::milliseconds quiet_max{5'000};

/// Of one channel; shared by its feeds and the transcoder's side.
class FeedLine : public std::enable_shared_from_this<FeedLine> {
 public:
  /// `changed` is called, on any thread, when a slot is taken or left. Must be short.
  FeedLine(FeedLimits limits, std::function<void()> changed)
      : changed_(std::move(changed)), queue_(limits) {}

  /// Errors: conflict (somebody publishes there already), unavailable (the channel takes no more).
  /// A slot whose publisher has sent nothing for `quiet_max` is not busy: its connection is dead,
  /// whatever TCP thinks of it.
  Result<std::unique_ptr<Feed>> open(media::FeedSlot slot, media::FeedFormat format, BusySlot busy,
                                     AdmittedBy by);
  /// Somebody was not let in, for another reason than open() saw, or not kept; `why` is a few
  /// words.
  void note_refusal(media::FeedSlot slot, std::string why);
  bool is_taken(media::FeedSlot slot) const;
  std::uint64_t dropped(media::FeedSlot slot) const;
  Refusals refusals(media::FeedSlot slot) const;
  /// The channel ends: every feed is closed with this reason and none is opened any more.
  void close(std::string why);
  /// The stream key changed: feeds that came by it end.
  void revoke();

  // The transcoder's side.
  void attach();
  void detach();
  /// Notified when there may be bytes to take.
  net::Broadcast& filled() { return filled_; }
  std::string take(std::size_t bytes_max);

 private:
  friend class Feed;
  bool write(const Feed& feed, std::string_view unit, Unit kind);
  /// `refused_why`: it is let go for what it sent.
  void end(const Feed& feed, std::string refused_why = "");
  struct Holder {
    std::uint64_t feed = 0;  // its id; 0: nobody
    AdmittedBy by = AdmittedBy::stream_key;
    SteadyTime wrote{};  // when it gave something last
  };
  struct Refused {
    std::uint64_t count = 0;
    SteadyTime last{};
    WallTime at{};
    std::string why;
  };
  Holder& at(media::FeedSlot slot) { return holders_[static_cast<std::size_t>(slot)]; }
  void let_go(media::FeedSlot slot);
  void add_refusal(media::FeedSlot slot, std::string why);

  const std::function<void()> changed_;
  net::Broadcast filled_;
  mutable std::mutex mutex_;  // guards all below
  FeedQueue queue_;
  std::array<Holder, media::feed_slots> holders_{};
  std::array<Refused, media::feed_slots> refused_;
  std::uint64_t last_feed_ = 0;
  std::string closed_why_;
};

class Feed {
 public:
  Feed(std::shared_ptr<FeedLine> line, media::FeedSlot slot, std::uint64_t id)
      : line_(std::move(line)), slot_(slot), id_(id) {}
  Feed(const Feed&) = delete;
  ~Feed() { end(); }

  /// One whole unit as it came (an FLV header, an FLV tag, MPEG-TS packets), never waits. False:
  /// this publisher is not wanted any more (replaced, its key revoked, or the channel has ended);
  /// close the connection. A unit above media::feed_payload_bytes_max is dropped.
  bool write(std::string_view unit, Unit kind) { return line_->write(*this, unit, kind); }
  /// The publisher is gone.
  void end() { line_->end(*this); }
  /// It is let go for what it sent; `why` is a few words for the channel's document. Nothing, if it
  /// does not hold the slot any more: that is another publisher's.
  void refuse(std::string why) { line_->end(*this, std::move(why)); }
  media::FeedSlot slot() const { return slot_; }

 private:
  friend class FeedLine;
  const std::shared_ptr<FeedLine> line_;
  const media::FeedSlot slot_;
  const std::uint64_t id_;
};

}  // namespace relay::origin::live
