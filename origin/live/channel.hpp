// One live channel: it outlives its publishers and its transcoder. Its record says what a restart
// needs, its tracks what viewers see, its line takes the publishers' streams to the transcoder.
//
// Owned by one thread, that of `io`; what other threads may call says so.
#pragma once

#include <boost/json/object.hpp>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/metrics.hpp"
#include "common/base/shared_value.hpp"
#include "common/media/live.hpp"
#include "common/net/blocking.hpp"
#include "origin/jobs/desk.hpp"
#include "origin/live/feed.hpp"
#include "origin/live/half_done.hpp"
#include "origin/live/keeper.hpp"
#include "origin/live/leftovers.hpp"
#include "origin/live/live_settings.hpp"
#include "origin/live/track.hpp"
#include "origin/live/transcoder.hpp"

namespace relay::origin::live {

/// What is said of a publisher with another key than the channel's.
inline constexpr const char* wrong_key = "the key was wrong";

struct LiveCounters {
  Counter& parts;
  Counter& part_bytes;
  Counter& late_parts;
  Counter& gaps;
  Counter& segments;
  Gauge& shed_renditions;
  Histogram& encode_delay;
  Counter& switches;
};

/// What channels work with; all outlive them.
struct ChannelParts {
  net::asio::io_context& io;
  net::Blocking& blocking;
  net::Blocking& writing;  // for parts only: they wait behind nobody's sync
  Keeper& keeper;
  Leftovers& leftovers;
  jobs::Desk& desk;
  const LiveSettings& settings;
  const jobs::JobSettings& jobs;
  LiveCounters counters;
};

using Renditions = std::map<std::string, std::shared_ptr<Rendition>, std::less<>>;

class Channel : public jobs::Observer, public std::enable_shared_from_this<Channel> {
 public:
  using Self = std::shared_ptr<Channel>;

  Channel(ChannelParts parts, ChannelRecord record);
  /// Once; `kept` is what an earlier run of the origin had kept. Reads what that left half done.
  void start(std::map<std::string, std::vector<Segment>> kept);

  // Any thread.
  std::shared_ptr<const ChannelRecord> record() const { return record_.load(); }
  /// Errors: denied (not its key), and those of FeedLine::open().
  Result<std::unique_ptr<Feed>> admit(std::string_view key, media::FeedSlot slot,
                                      media::FeedFormat format);
  bool accepts(std::string_view key) const;
  /// Somebody wanted that slot and was not taken.
  void note_refusal(media::FeedSlot slot, std::string why) {
    line_->note_refusal(slot, std::move(why));
  }
  /// What encrypts SRT; whoever knows it needs no key. It is the key's hash, for both ends must
  /// have the secret itself.
  std::string passphrase() const { return record()->key_sha256; }
  /// The same for who has shown otherwise that he may.
  Result<std::unique_ptr<Feed>> publish(media::FeedSlot slot, media::FeedFormat format,
                                        AdmittedBy by);
  /// nullptr: there is none of that name, or not yet.
  std::shared_ptr<Rendition> rendition(std::string_view name) const;
  /// How it is, for GET assets/{asset}.
  boost::json::object document() const;

  // What its transcoder says.
  static net::Task<Result<void>> take_setup(Self self, media::LiveSetup setup);
  static net::Task<Result<void>> take_part(Self self, PartArrival arrival);
  void take_status(media::LiveStatus status);
  void on_sign_of_life() override { transcoder_->on_sign_of_life(); }
  Transcoder::Answering answering() { return Transcoder::Answering(transcoder_); }
  void on_published() override {}
  void on_result(const media::JobResult& result) override;

  /// A few times a second: what the clock brings.
  void tick();
  /// Other rules from now on, and, unless it is empty, another key: who publishes by the old one is
  /// ended. Errors: conflict (a constant would change).
  static net::Task<Result<void>> change(Self self, ChannelWishes wishes, std::string key_sha256);
  /// It becomes a recording: no publisher any more, playlists end. After an error: once more.
  static net::Task<Result<void>> end(Self self);
  /// How long its parts can be had once it has ended.
  std::chrono::milliseconds parts_stay() const;
  /// Deleted, or the origin stops: nothing is written any more.
  void stop(const std::string& why);

 private:
  Track* track(std::string_view name);
  void make_tracks(const media::LiveSetup& setup);
  void resume(std::map<std::string, std::vector<Segment>> kept);
  std::optional<HalfDone> take_half_done(Track& track) const;
  void finish_half_done();
  std::filesystem::path segment_path(const Track& track, std::int64_t number) const;
  std::filesystem::path notes_path(const Track& track) const;
  void show(Track& track, const PartArrival& arrival);
  void publish(Track& track);
  void slide();
  void slide(std::chrono::milliseconds dvr, std::uint64_t bytes_max);
  void slide_as_before();
  WindowMark window_mark(const ChannelRules& rules) const;
  void mark_window();
  static net::Task<void> save_window(Self self);
  void leave(const Track& track, const std::vector<Segment>& gone);
  bool is_left_out(const Track& track) const;
  void fill_gaps();
  void note_change();
  void replace_status(std::optional<media::LiveStatus> status);
  bool wants_transcoder() const;
  Result<std::string> job() const;
  ChannelRules rules() const { return in_force(record()->rules, parts_.settings); }
  static net::Task<void> commit(Self self, Track& track);
  static net::Task<void> close_segments(Self self);
  struct Recording {
    SegmentSpan span;
    std::map<std::string, std::string> playlists;
    std::int64_t duration_us = 0;
  };
  Recording recording();
  void become(const Recording& recording);
  static net::Task<void> tell(Self self, std::string state);
  static net::Task<void> touched(std::weak_ptr<Channel> channel);
  /// One change of the record after another.
  static net::Task<Result<void>> save(Self self, std::function<void(ChannelRecord&)> change);

  const ChannelParts parts_;
  SharedValue<const ChannelRecord> record_;
  std::shared_ptr<FeedLine> line_;
  std::shared_ptr<Transcoder> transcoder_;
  std::optional<Grid> grid_;
  std::vector<std::unique_ptr<Track>> tracks_;
  SharedValue<const Renditions> renditions_;
  std::optional<media::LiveStatus> status_;  // of the transcoder that runs
  SharedValue<const boost::json::object> document_{std::make_shared<const boost::json::object>()};
  std::string told_;         // what subscribers know
  std::string failed_why_;   // the last one's own verdict, if it was bad
  SteadyTime last_taken_{};  // when somebody published last
  net::Broadcast saved_;
  bool saving_ = false;  // the record
  int holds_ = 0;        // while there is any nothing leaves the window
  bool ending_ = false, ended_ = false, stopped_ = false;
};

}  // namespace relay::origin::live
