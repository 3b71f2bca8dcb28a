#include "transcoder/live/channel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "common/base/check.hpp"
#include "common/base/log.hpp"
#include "transcoder/live/agreement.hpp"
#include "transcoder/live/feed_reader.hpp"
#include "transcoder/live/mixer.hpp"
#include "transcoder/live/production.hpp"
#include "transcoder/live/stream.hpp"
#include "transcoder/transcoder.hpp"

namespace relay::transcoder::live {

namespace {

constexpr int feed_wait_ms = 100;  // then it looks whether the output failed
constexpr auto setup_poll = std::chrono::milliseconds(20);

SlotPatience patience_of(const LiveEncoding& live) {
  return {live.frozen.count() * 1000, live.silent.count() * 1000};
}

class Channel {
 public:
  Channel(const Settings& settings, const media::Job& job, Publisher& publisher,
          const ChannelClock& clock)
      : settings_(settings),
        job_(job),
        live_(*job.live),
        publisher_(publisher),
        clock_(clock),
        agreement_(live_, settings.encoding, settings.live),
        outputs_{SlotOutput(patience_of(settings.live)), SlotOutput(patience_of(settings.live))} {}

  Result<media::JobResult> run(int feed_fd);

 private:
  Result<void> read_feed(int feed_fd);
  void take(const media::FeedFrame& frame);
  Result<void> produce();
  const media::LiveSetup* wait_for_setup();
  Result<void> open_rungs(const Grid& grid, RungPool& pool);
  int workers() const;

  const Settings& settings_;
  const media::Job& job_;
  const media::LiveJob& live_;
  Publisher& publisher_;
  const ChannelClock& clock_;
  Agreement agreement_;
  SlotOutputs outputs_;
  std::array<std::unique_ptr<Stream>, media::feed_slots> streams_;  // the feed's thread's
  std::atomic<bool> ending_ = false;
  std::atomic<bool> produced_ = false;  // the producing thread came to its end
};

Result<media::JobResult> Channel::run(int feed_fd) {
  Result<void> produced, read;
  std::jthread producer([&] {
    produced = produce();
    produced_ = true;
  });
  read = read_feed(feed_fd);
  ending_ = true;
  producer.join();
  for (auto& stream : streams_) stream.reset();
  if (!produced) return std::unexpected(produced.error());
  if (!read) return std::unexpected(read.error());
  if (auto finished = publisher_.finish(); !finished) return std::unexpected(finished.error());
  media::JobResult result{.ready = true};
  if (const media::LiveSetup* setup = agreement_.setup()) {
    result.width = setup->renditions.front().width;
    result.height = setup->renditions.front().height;
  }
  return result;
}

Result<void> Channel::read_feed(int feed_fd) {
  FeedReader reader(feed_fd);
  auto take = [this](const media::FeedFrame& frame) { this->take(frame); };
  while (!produced_) {
    auto more = reader.read(feed_wait_ms, take);
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
  }
  return {};
}

void Channel::take(const media::FeedFrame& frame) {
  auto slot = static_cast<std::size_t>(frame.slot);
  std::unique_ptr<Stream>& stream = streams_[slot];
  switch (frame.kind) {
    case media::FeedFrame::Kind::begin: {
      log::info("feed begins",
                {kv("slot", media::name(frame.slot)), kv("format", media::name(frame.format))});
      stream.reset();  // the one before must be gone before a new one writes
      StreamTools tools{agreement_, clock_, settings_.source, settings_.live};
      stream = std::make_unique<Stream>(frame.format, tools, outputs_[slot]);
      break;
    }
    case media::FeedFrame::Kind::data:
      if (stream) stream->push(frame.payload);
      break;
    case media::FeedFrame::Kind::end:
      log::info("feed ends", {kv("slot", media::name(frame.slot))});
      if (stream) stream->end();
      break;
  }
}

// Says once a second how things stand while nothing is decided yet. Null: the end.
const media::LiveSetup* Channel::wait_for_setup() {
  std::int64_t reported_us = INT64_MIN / 2;
  while (!ending_) {
    if (const media::LiveSetup* setup = agreement_.setup()) return setup;
    std::int64_t now = clock_.now_us();
    if (now - reported_us >= media::live_status_each_us) {
      reported_us = now;
      media::LiveStatus status;
      for (std::size_t i = 0; i < outputs_.size(); ++i)
        status.slots[i] = outputs_[i].status(now, true);
      if (!publisher_.live_status(status)) return nullptr;
    }
    std::this_thread::sleep_for(setup_poll);
  }
  return nullptr;
}

int Channel::workers() const {
  if (settings_.live.workers > 0) return static_cast<int>(settings_.live.workers);
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

Result<void> Channel::open_rungs(const Grid& grid, RungPool& pool) {
  std::vector<Rendition> renditions = pictures_of(grid.setup());
  int threads = renditions.size() == 1 ? workers() : 1;
  for (const Rendition& rendition : renditions) {
    auto rung = Rung::open(rendition, grid, settings_.live, threads);
    if (!rung) return std::unexpected(rung.error());
    pool.add(std::move(*rung));
  }
  return {};
}

Result<void> Channel::produce() {
  const media::LiveSetup* setup = wait_for_setup();
  if (!setup) return {};
  Grid grid(*setup);
  PartOutput output(grid, publisher_);
  RungPool pool(grid, clock_, output);
  if (auto opened = open_rungs(grid, pool); !opened) return opened;
  auto sound = SoundLane::open(setup->renditions.back().kbit_s, grid, output);
  if (!sound) return std::unexpected(sound.error());
  std::vector<TrackSpec> tracks;
  for (std::size_t i = 0; i < pool.size(); ++i) tracks.push_back(pool.rung(i).track());
  tracks.push_back(sound->track());
  // What an earlier transcoder declared stays declared, also while nobody speaks.
  const CaptionChannels declared = stated_captions(job_.multivariant);
  auto announced = announce(*setup, tracks, declared, job_.version, publisher_);
  if (!announced) return std::unexpected(announced.error());
  log::info("channel set up",
            {kv("rate", rate_of(*setup).value()), kv("renditions", setup->renditions.size()),
             kv("height", setup->renditions.front().height)});
  pool.start(workers());
  ThumbnailLane thumbnails(grid, output);
  Mixer mixer({grid, clock_, outputs_, pool, *sound, thumbnails, output}, live_, settings_.live);
  auto note = [&](const Result<void>& sent) {
    if (!sent) output.fail_with(sent.error());
  };
  MixerReports reports{
      [&](const media::LiveStatus& status) { note(publisher_.live_status(status)); },
      [&](CaptionChannels channels) {
        note(announce_variants(*setup, *announced, declared | channels, job_.version, publisher_));
      }};
  mixer.run(ending_, reports);
  pool.finish();
  if (auto failure = output.failure()) return std::unexpected(*failure);
  return {};
}

}  // namespace

Result<media::JobResult> run_channel(const Settings& settings, const media::Job& job, int feed_fd,
                                     Publisher& publisher, const ChannelClock& clock) {
  RELAY_CHECK(job.live);
  av::quiet();
  return Channel(settings, job, publisher, clock).run(feed_fd);
}

Result<media::JobResult> make_channel(const Settings& settings, const media::Job& job,
                                      Publisher& publisher) {
  RELAY_CHECK(job.live);
  ChannelClock clock(job.live->channel.epoch_ms);
  return run_channel(settings, job, source_fd, publisher, clock);
}

}  // namespace relay::transcoder::live
