// A live channel's transcoder from end to end in one process: FLV made by the ffmpeg command is
// sent in its own time as a feed, an origin that answers 204 keeps what comes.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/media/feed.hpp"
#include "common/media/live.hpp"
#include "common/store/file.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/transcoder/clip.hpp"
#include "tests/transcoder/fake_origin.hpp"
#include "transcoder/live/channel.hpp"
#include "transcoder/live/grid.hpp"

namespace relay::transcoder::live {

using tests::eventually;
using namespace std::chrono_literals;

inline constexpr auto patience = 60s;

/// What a feed's data frame holds and when it is sent: a tag of an FLV file, packets of MPEG-TS.
struct FeedUnit {
  std::int64_t time_ms = 0;
  std::string bytes;
};

inline std::uint32_t number_at(std::string_view bytes, std::size_t at, std::size_t length) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < length; ++i)
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

inline void set_time(std::string& tag, std::int64_t time_ms) {
  tag[4] = static_cast<char>(time_ms >> 16);
  tag[5] = static_cast<char>(time_ms >> 8);
  tag[6] = static_cast<char>(time_ms);
  tag[7] = static_cast<char>(time_ms >> 24);
}

/// The tags of a file; the first is its header.
inline std::vector<FeedUnit> read_flv(const std::string& path) {
  std::string file = store::read_file(path).value();
  constexpr std::size_t head_bytes = 13, tag_head_bytes = 11, length_bytes = 4;
  std::vector<FeedUnit> tags = {{0, file.substr(0, head_bytes)}};
  for (std::size_t at = head_bytes; at + tag_head_bytes < file.size();) {
    std::size_t bytes = tag_head_bytes + number_at(file, at + 1, 3) + length_bytes;
    std::int64_t time = number_at(file, at + 4, 3) | number_at(file, at + 7, 1) << 24;
    tags.push_back({time, file.substr(at, bytes)});
    at += bytes;
  }
  return tags;
}

/// One part as the origin got it.
struct ReceivedPart {
  std::int64_t segment = 0, part = 0, ticks = 0;
  bool independent = false, last = false;
  std::string body;
  std::int64_t decode_time() const {
    std::size_t at = body.find("tfdt");
    return static_cast<std::int64_t>(number_at(body, at + 8, 4)) << 32 |
           number_at(body, at + 12, 4);
  }
};

/// The origin's end of a feed, which whole frames are written to.
struct FeedEnd {
  std::mutex writing;
  int fd = -1;  // closed: whoever still writes writes nothing
};

/// Sends one publisher's stream in its own time, from a thread.
class Player {
 public:
  /// `feed` outlives this.
  Player(FeedEnd& feed, media::FeedSlot slot, std::vector<FeedUnit> units, double speed)
      : feed_(feed), slot_(slot), units_(std::move(units)), speed_(speed) {
    thread_ = std::thread([this] { run(); });
  }
  ~Player() {
    stop();
    thread_.join();
  }
  /// Like a connection that is cut; the feed says that it ended.
  void stop() {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }
  bool done() const { return done_; }

 private:
  void write(const std::string& bytes) {
    std::lock_guard lock(feed_.writing);
    for (std::size_t sent = 0; sent < bytes.size();) {
      ssize_t n = send(feed_.fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return;
      sent += static_cast<std::size_t>(n);
    }
  }
  void run() {
    bool flv = units_.front().bytes.starts_with("FLV");
    write(media::feed_begin(slot_, flv ? media::FeedFormat::flv : media::FeedFormat::mpegts));
    auto begin = std::chrono::steady_clock::now();
    for (const FeedUnit& unit : units_) {
      auto due = begin + std::chrono::microseconds(
                             std::llround(static_cast<double>(unit.time_ms) * 1000 / speed_));
      std::unique_lock lock(mutex_);
      if (changed_.wait_until(lock, due, [this] { return stopped_; })) break;
      lock.unlock();
      write(media::feed_data(slot_, unit.bytes));
    }
    write(media::feed_end(slot_));
    done_ = true;
  }

  FeedEnd& feed_;
  media::FeedSlot slot_;
  std::vector<FeedUnit> units_;
  double speed_;
  std::mutex mutex_;  // guards stopped_
  std::condition_variable changed_;
  bool stopped_ = false;
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

inline std::int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// One run of the transcoder.
class ChannelRun {
 public:
  /// `pace` is that of its clock, `multivariant` what a run before it had published.
  ChannelRun(const Settings& settings, const media::LiveJob& live, double pace = 1,
             std::string multivariant = "")
      : settings_(settings), clock_(live.channel.epoch_ms, pace), pace_(pace) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
    feed_.fd = ends[0];
    theirs_ = ends[1];
    job_ = {.kind = media::JobKind::live, .tenant = "t", .asset = "a", .version = "v1"};
    job_.live = live;
    job_.multivariant = std::move(multivariant);
    publisher_ = std::make_unique<Publisher>(origin_.fd(), PublisherOptions{});
    thread_ = std::thread(
        [this] { result_ = run_channel(settings_, job_, theirs_, *publisher_, clock_); });
  }
  ~ChannelRun() { finish(); }

  std::unique_ptr<Player> play(std::vector<FeedUnit> tags,
                               media::FeedSlot slot = media::FeedSlot::primary, double speed = 1) {
    return std::make_unique<Player>(feed_, slot, std::move(tags), speed * pace_);
  }
  void write(const std::string& bytes) {
    std::lock_guard lock(feed_.writing);
    ASSERT_EQ(send(feed_.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  /// The end of the feed; the run's result.
  std::optional<Result<media::JobResult>> finish() {
    if (feed_.fd >= 0) shutdown(feed_.fd, SHUT_WR);
    if (thread_.joinable()) thread_.join();
    std::lock_guard lock(feed_.writing);
    for (int* fd : {&feed_.fd, &theirs_})
      if (*fd >= 0) close(std::exchange(*fd, -1));
    publisher_.reset();
    return result_;
  }

  const FakeOrigin& origin() const { return origin_; }
  media::LiveSetup setup() const {
    auto setup = media::live_setup_from_json(origin_.body("/live/setup"));
    return setup ? *setup : media::LiveSetup{};
  }
  media::LiveStatus status() const {
    auto status = media::live_status_from_json(origin_.body("/live/status"));
    return status ? *status : media::LiveStatus{};
  }
  /// How many parts came.
  std::size_t count(const std::string& rendition) const {
    auto targets = origin_.targets();
    return static_cast<std::size_t>(std::ranges::count_if(targets, [&](const std::string& target) {
      return target.starts_with("/live/" + rendition + "/");
    }));
  }
  /// In the order in which they came.
  std::vector<ReceivedPart> parts(const std::string& rendition) const {
    std::vector<ReceivedPart> parts;
    for (Put& put : origin_.puts()) {
      ReceivedPart part;
      int independent = 0, last = 0;
      std::string format = "/live/" + rendition + "/%ld.%ld.m4s?ticks=%ld&independent=%d&last=%d";
      if (std::sscanf(put.target.c_str(), format.c_str(), &part.segment, &part.part, &part.ticks,
                      &independent, &last) != 5)
        continue;
      part.independent = independent != 0;
      part.last = last != 0;
      part.body = std::move(put.body);
      parts.push_back(std::move(part));
    }
    return parts;
  }

 private:
  Settings settings_;
  ChannelClock clock_;
  double pace_;
  media::Job job_;
  FakeOrigin origin_;
  std::unique_ptr<Publisher> publisher_;
  FeedEnd feed_;
  int theirs_ = -1;
  std::optional<Result<media::JobResult>> result_;
  std::thread thread_;
};

/// What is wrong with the parts of a rendition, as the contract has it; empty: nothing. They may
/// begin anew with a segment.
inline std::string flaw_of(const ChannelRun& run, const media::LiveRendition& rendition) {
  media::LiveSetup setup = run.setup();
  Grid grid(setup);
  Units units{!rendition.video, rendition.frame_step};
  std::int64_t frame_ticks =
      rendition.timescale * setup.rate_denominator * rendition.frame_step / setup.rate_numerator;
  std::int64_t ticks = rendition.video ? frame_ticks : 1024;
  std::int64_t expected = -1;
  auto parts = run.parts(rendition.name);
  for (const ReceivedPart& part : parts) {
    std::int64_t number = grid.first_part(part.segment) + part.part;
    std::int64_t first = grid.first_unit(number, units), end = grid.first_unit(number + 1, units);
    std::string name =
        rendition.name + " " + std::to_string(part.segment) + "." + std::to_string(part.part) + " ";
    if (number != expected && part.part != 0) return name + "does not follow";
    if (part.decode_time() != presentation_base_s * rendition.timescale + first * ticks)
      return name + "is not at its place on the clock";
    if (part.ticks != (end - first) * ticks) return name + "has a wrong duration";
    bool starts_group = grid.part_begins_group(number);
    if (part.independent != (starts_group || !rendition.video))
      return name + "begins with no key picture, or with one too many";
    if ((part.body.substr(4, 4) == "styp") != (part.part == 0))
      return name + "has its styp at the wrong place";
    if (part.last != grid.part_ends_segment(number) && &part != &parts.back())
      return name + "ends no segment, or does";
    expected = number + 1;
  }
  return parts.empty() ? "no parts" : "";
}

inline std::string flaw_of(const ChannelRun& run) {
  for (const media::LiveRendition& rendition : run.setup().renditions)
    if (std::string flaw = flaw_of(run, rendition); !flaw.empty()) return flaw;
  return "";
}

/// How many segments are missing between the first and the last of a rendition.
inline std::int64_t segments_missing(const ChannelRun& run, const std::string& rendition) {
  std::int64_t missing = 0, before = -1;
  for (const ReceivedPart& part : run.parts(rendition)) {
    if (before >= 0) missing += std::max<std::int64_t>(part.segment - before - 1, 0);
    before = part.segment;
  }
  return missing;
}

/// Segments of which not all parts came, but for the last one.
inline std::vector<std::int64_t> half_done(const ChannelRun& run, const std::string& rendition) {
  std::map<std::int64_t, std::int64_t> parts;
  for (const ReceivedPart& part : run.parts(rendition)) ++parts[part.segment];
  std::vector<std::int64_t> found;
  for (auto [segment, count] : parts) {
    bool is_last = segment == parts.rbegin()->first;
    if (!is_last && count < run.setup().parts_per_segment()) found.push_back(segment);
  }
  return found;
}

/// The same stream with its times from tag `from` on moved.
inline std::vector<FeedUnit> moved(std::vector<FeedUnit> tags, std::int64_t from_ms,
                                   std::int64_t by_ms) {
  for (std::size_t i = 1; i < tags.size(); ++i)
    if (tags[i].time_ms >= from_ms) set_time(tags[i].bytes, tags[i].time_ms + by_ms);
  return tags;
}

/// One stream after the other, its times going on.
inline std::vector<FeedUnit> joined(std::vector<FeedUnit> first,
                                    const std::vector<FeedUnit>& second) {
  std::int64_t end = first.back().time_ms + 40;
  for (std::size_t i = 1; i < second.size(); ++i) {
    first.push_back(second[i]);
    first.back().time_ms += end;
    set_time(first.back().bytes, first.back().time_ms);
  }
  return first;
}

class LiveStory : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("ffmpeg -version >/dev/null 2>&1") != 0) GTEST_SKIP() << "no ffmpeg command";
    settings.live.rungs_max = 1;  // the last one is never shed, however slow the machine is
    settings.live.preset = "ultrafast";
    live.channel.epoch_ms = wall_ms() - 3'600'000;
    live.channel.part_target_ms = 200;
    live.channel.group_ms = 400;
    live.channel.segment_ms = 800;
    live.channel.hold_ms = 300;
  }
  std::vector<FeedUnit> flv(const std::string& arguments) {
    std::string path = dir / ("feed-" + std::to_string(files_++) + ".flv");
    EXPECT_TRUE(ffmpeg(arguments + " -f flv " + path)) << arguments;
    return read_flv(path);
  }
  /// MPEG-TS of so many seconds, sent evenly.
  std::vector<FeedUnit> mpegts(const std::string& arguments, int seconds) {
    std::string path = dir / ("feed-" + std::to_string(files_++) + ".ts");
    EXPECT_TRUE(ffmpeg(arguments + " -f mpegts " + path)) << arguments;
    std::string file = store::read_file(path).value();
    constexpr std::size_t unit_bytes = 7 * 188;
    std::vector<FeedUnit> units;
    for (std::size_t at = 0; at < file.size(); at += unit_bytes)
      units.push_back(
          {static_cast<std::int64_t>(at * 1000 * static_cast<std::size_t>(seconds) / file.size()),
           file.substr(at, unit_bytes)});
    return units;
  }
  /// Moving pictures of 640x360 with a tone.
  std::vector<FeedUnit> moving(int seconds, const std::string& more = "") {
    std::string length = std::to_string(seconds);
    return flv("-f lavfi -i testsrc2=s=640x360:r=25:d=" + length +
               " -f lavfi -i sine=440:r=48000:d=" + length +
               " -c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 25 -bf 2 -c:a aac -shortest " +
               more);
  }
  /// The parts from one after another as a file that players take.
  std::string write_file(const ChannelRun& run, const std::string& rendition) {
    std::string path = dir / ("out-" + rendition + "-" + std::to_string(files_++) + ".mp4");
    std::ofstream file(path, std::ios::binary);
    file << run.origin().body("/media/" + rendition + "/init.mp4");
    for (const ReceivedPart& part : run.parts(rendition)) file << part.body;
    return path;
  }

  tests::TemporaryFolder dir;
  Settings settings;
  media::LiveJob live;

 private:
  int files_ = 0;
};

}  // namespace relay::transcoder::live
