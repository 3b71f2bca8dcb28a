// A channel without its transcoder, for tests.
#pragma once

#include <gtest/gtest.h>

#include <fmt/format.h>
#include <atomic>

#include "origin/intake/sha256.hpp"
#include "origin/live/channel.hpp"
#include "origin/live/ingest.hpp"
#include "origin/live_delivery.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temporary_folder.hpp"

namespace relay::origin::live {

class FakeKeeper final : public Keeper {
 public:
  std::filesystem::path media_path(const media::Job&, std::string_view object) const override {
    return folder.path() / object;
  }
  Result<void> save(const ChannelRecord& record) override {
    saved.push_back(record);
    return {};
  }
  Result<void> keep(const media::Job&, const std::string& rendition, const Segment& segment,
                    const Digest128& digest, const std::vector<media::KeyPicture>&) override {
    if (full) return fail(ErrorKind::no_space, ErrorSource::disk, "full");
    kept_names.push_back(fmt::format("{}/{}", rendition, segment.number));
    digests.push_back(digest);
    ++keeps;
    return {};
  }
  void forget(const media::Job&, const std::string&, const std::vector<std::int64_t>&) override {}
  Result<std::map<std::string, std::vector<Segment>>> kept(const media::Job&) const override {
    return {};
  }
  Result<void> end(const media::Job&, const std::map<std::string, std::string>& playlists,
                   std::int64_t duration_ms) override {
    ended_with = playlists;
    ended_after_ms = duration_ms;
    return {};
  }
  void tell(const media::Job&, const std::string&) override {}

  tests::TemporaryFolder folder;
  bool full = false;
  std::vector<ChannelRecord> saved;
  std::vector<std::string> kept_names;
  std::vector<Digest128> digests;
  std::atomic<std::size_t> keeps{0};  // kept on a thread of the pool: tells when it is done
  std::map<std::string, std::string> ended_with;
  std::int64_t ended_after_ms = -1;
};

/// No process is ever started here.
class NoDesk final : public jobs::Desk {
 public:
  std::unique_ptr<net::Handler> for_job(const media::Job&, jobs::Observer&) override { return {}; }
  Result<void> begin(const media::Job&) override { return {}; }
  Result<void> put_back(const media::Job&, std::string_view) override { return {}; }
  void note_stage(const media::Job&, std::string_view) override {}
  Result<void> add_published(media::Job&) const override { return {}; }
  std::string source_path(const media::Job&) const override { return ""; }
  Result<void> settle(const media::Job&, const media::JobResult&) override { return {}; }
};

inline media::LiveSetup setup() {
  return {.group_frames = 25,
          .segment_frames = 25,
          .parts_per_group = 4,
          .renditions = {{.name = "v360", .timescale = 1000},
                         {.name = "audio", .video = false, .timescale = 48000}}};
}

inline ChannelRecord record(WallTime epoch) {
  ChannelRecord record;
  record.job.kind = media::JobKind::live;
  record.job.tenant = "demo";
  record.job.asset = "final";
  record.job.version = "v1";
  record.job.live.emplace();
  record.job.live->channel.epoch_ms = epoch.time_since_epoch().count();
  // SHA-256 of "secret".
  record.key_sha256 = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
  return record;
}

class ChannelTest : public testing::Test {
 protected:
  ChannelTest() {
    job_settings.transcoder = "/bin/true";  // a real one would speak to a desk that is not there
    channel = std::make_shared<Channel>(parts(), record(wall_now() - std::chrono::hours(1)));
    channel->start({});
    now = 3600;  // segments of a second
  }
  ~ChannelTest() override {
    channel->stop("the test is over");
    io.restart();
    io.run();
  }
  ChannelParts parts() {
    return {
        io,
        blocking,
        writing,
        keeper,
        leftovers,
        desk,
        settings,
        job_settings,
        {counter("a"), counter("b"), counter("late"), counter("d"), counter("e"),
         metrics.gauge("shed", "shed"), metrics.histogram("delay", "delay"), counter("switches")}};
  }
  Counter& counter(const std::string& name) { return metrics.counter(name, name); }

  void step() {
    io.restart();  // it stops when it runs out of work
    io.run_one();
  }
  template <class T>
  static net::Task<void> store(net::Task<T> task, std::optional<T>& into) {
    into = co_await std::move(task);
  }
  template <class T>
  T run(net::Task<T> task) {
    std::optional<T> result;
    net::spawn(io, store(std::move(task), result));
    while (!result) step();
    return std::move(*result);
  }
  Result<void> put(std::int64_t segment, std::int64_t part, std::string bytes, bool last = false,
                   std::string rendition = "v360") {
    PartArrival arrival{.rendition = std::move(rendition),
                        .segment = segment,
                        .part = part,
                        .ticks = 250,
                        .independent = part == 0,
                        .last = last};
    arrival.digest = digest128(bytes);
    arrival.bytes = std::move(bytes);
    return run(Channel::take_part(channel, std::move(arrival)));
  }
  std::shared_ptr<const View> view(std::string_view rendition = "v360") {
    return channel->rendition(rendition)->view.load();
  }
  void settle(std::string_view rendition = "v360") {
    while (keeper.keeps == 0) step();
    while (view(rendition)->next.part != 0) step();
  }

  net::asio::io_context io{1};
  net::Blocking blocking{1}, writing{1};
  Metrics metrics;
  FakeKeeper keeper;
  Leftovers leftovers;
  NoDesk desk;
  LiveSettings settings;
  jobs::JobSettings job_settings;
  std::shared_ptr<Channel> channel;
  std::int64_t now = 0;
};

}  // namespace relay::origin::live
