#include "origin/live/channel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/log.hpp"
#include "origin/intake/sha256.hpp"
#include "origin/live/channel_document.hpp"
#include "origin/live/deadlines.hpp"
#include "origin/live/going_on.hpp"
#include "origin/live/half_done_file.hpp"
#include "origin/live/ingest.hpp"

namespace relay::origin::live {

using std::chrono::milliseconds;

namespace {

/// The transcoder stays so long after the last publisher, for one that comes back.
constexpr milliseconds linger{10'000};

}  // namespace

Channel::Channel(ChannelParts parts, ChannelRecord record)
    : parts_(parts), record_(std::make_shared<const ChannelRecord>(std::move(record))) {
}

void Channel::start(std::map<std::string, std::vector<Segment>> kept) {
  std::weak_ptr<Channel> weak = weak_from_this();
  auto& io = parts_.io;
  line_ = std::make_shared<FeedLine>(FeedLimits{}, [weak, &io] { net::spawn(io, touched(weak)); });
  Self self = shared_from_this();
  Transcoder::Work work{.job = [self] { return self->job(); },
                        .handler = [self]() -> std::unique_ptr<net::Handler> {
                          return std::make_unique<Ingest>(
                              self, self->parts_.desk.for_job(self->record()->job, *self),
                              self->parts_.jobs.object_size_max);
                        },
                        .changed =
                            [self] {
                              if (!self->transcoder_->is_running()) self->replace_status({});
                              self->note_change();
                            },
                        .name = record()->job.tenant + "/" + record()->job.asset};
  transcoder_ =
      std::make_shared<Transcoder>(io, parts_.blocking, parts_.jobs, line_, std::move(work));
  const auto& setup = record()->job.live->setup;
  if (setup) make_tracks(*setup);
  resume(std::move(kept));
  slide_as_before();
  transcoder_->start();
  finish_half_done();
  tick();
  slide();
  for (auto& each : tracks_) publish(*each);
  for (auto& each : tracks_) publish(*each);  // with reports of the others, which are there now
  mark_window();
}

Result<std::unique_ptr<Feed>> Channel::admit(std::string_view key, media::FeedSlot slot,
                                             media::FeedFormat format) {
  if (!accepts(key)) {
    note_refusal(slot, wrong_key);
    return fail(ErrorKind::denied, ErrorSource::client,
                key.empty() ? "the stream key is missing" : "this is not the channel's stream key");
  }
  auto feed = publish(slot, format, AdmittedBy::stream_key);
  // The key may have been revoked meanwhile, before there was a feed to end.
  if (feed && !accepts(key))
    return fail(ErrorKind::denied, ErrorSource::client, "this stream key was revoked");
  return feed;
}

bool Channel::accepts(std::string_view key) const {
  // Hashes are compared: how long that takes tells nothing of the key.
  return intake::sha256_hex(key) == record()->key_sha256;
}

Result<std::unique_ptr<Feed>> Channel::publish(media::FeedSlot slot, media::FeedFormat format,
                                               AdmittedBy by) {
  return line_->open(slot, format, *rules().busy_slot, by);
}

std::shared_ptr<Rendition> Channel::rendition(std::string_view name) const {
  auto all = renditions_.load();
  if (!all) return nullptr;
  auto found = all->find(name);
  return found == all->end() ? nullptr : found->second;
}

boost::json::object Channel::document() const {
  return *document_.load();
}

Track* Channel::track(std::string_view name) {
  auto found =
      std::ranges::find(tracks_, name, [](const auto& each) { return each->shared->name; });
  return found == tracks_.end() ? nullptr : found->get();
}

void Channel::make_tracks(const media::LiveSetup& setup) {
  grid_.emplace(record()->job.live->channel.epoch_ms, setup);
  auto renditions = std::make_shared<Renditions>();
  for (const media::LiveRendition& each : setup.renditions) {
    auto& made = tracks_.emplace_back(std::make_unique<Track>(each.name, *grid_, each.timescale));
    renditions->emplace(each.name, made->shared);
  }
  if (setup.tile_width > 0) {
    // A sheet's ticks are frames times the denominator of their rate.
    std::string name(media::thumbnails_name);
    auto& made = tracks_.emplace_back(std::make_unique<Track>(name, *grid_, setup.rate_numerator));
    renditions->emplace(name, made->shared);
  }
  renditions_.store(std::move(renditions));
}

Result<std::string> Channel::job() const {
  media::Job job = record()->job;
  // The next one goes on with what the multivariant playlist says.
  if (auto added = parts_.desk.add_published(job); !added) return std::unexpected(added.error());
  if (!grid_) return media::to_json(job);
  std::vector<Reached> renditions;
  for (const auto& each : tracks_)
    if (each->shared->name != media::thumbnails_name)
      renditions.push_back({each->shared->name, &each->window});
  go_on(renditions, grid_->segment_at(wall_now()), *job.live);
  return media::to_json(job);
}

net::Task<Result<void>> Channel::change(Self self, ChannelWishes wishes, std::string key_sha256) {
  std::string constant = changed_constant(wishes, self->record()->job.live->channel);
  if (!constant.empty())
    co_return fail(ErrorKind::conflict, ErrorSource::client,
                   fmt::format("'{}' never changes while a channel is open; {} may", constant,
                               changeable_members));
  std::function<void(ChannelRecord&)> change = [&](ChannelRecord& record) {
    record.rules = merged(record.rules, wishes.rules);
    record.window = self->window_mark(in_force(record.rules, self->parts_.settings));
    if (!key_sha256.empty()) record.key_sha256 = key_sha256;
  };
  ++self->holds_;  // or it would begin later than is saved
  auto saved = co_await save(self, change);
  --self->holds_;
  if (!saved) co_return saved;
  if (!key_sha256.empty()) self->line_->revoke();
  self->slide();
  for (auto& each : self->tracks_) self->publish(*each);
  self->note_change();
  co_return saved;
}

void Channel::on_result(const media::JobResult& result) {
  failed_why_ = result.ready ? "" : result.reason;
  note_change();
}

void Channel::take_status(media::LiveStatus status) {
  replace_status(std::move(status));
  failed_why_.clear();
  note_change();
}

// What is counted is of all channels together; a transcoder that starts counts from 0 again.
void Channel::replace_status(std::optional<media::LiveStatus> status) {
  auto shed = [](const std::optional<media::LiveStatus>& of) {
    return of ? static_cast<std::int64_t>(of->shed.size()) : 0;
  };
  parts_.counters.shed_renditions.add(shed(status) - shed(status_));
  if (status) {
    std::int64_t switches = status->switches - (status_ ? status_->switches : 0);
    parts_.counters.switches.add(static_cast<std::uint64_t>(std::max<std::int64_t>(0, switches)));
    parts_.counters.encode_delay.observe(static_cast<double>(status->encode_delay_ms) / 1000);
  }
  status_ = std::move(status);
}

void Channel::publish(Track& track) {
  std::vector<media::LiveReport> reports;
  for (const auto& other : tracks_) {
    auto view = other->shared->view.load();
    bool is_played = other->shared->name != media::thumbnails_name;
    if (other.get() == &track || view->is_empty() || !is_played) continue;
    reports.push_back({"../" + other->shared->name + "/index.m3u8", view->next});
  }
  bool is_made = !track.is_quiet(steady_now()) && transcoder_->is_running();
  track.publish(std::move(reports), is_made, ended_);
}

// Nothing more will come of it: its viewers, and reports of it, need not wait.
bool Channel::is_left_out(const Track& track) const {
  return status_ && std::ranges::count(status_->shed, track.shared->name) > 0 &&
         !track.window.open();
}

void Channel::fill_gaps() {
  if (!grid_) return;
  std::int64_t target_s = grid_->setup().target_duration_s();
  for (auto& each : tracks_) {
    std::int64_t before = each->window.next();
    std::int64_t end = grid_->segment_at(
        wall_now() - (is_left_out(*each) ? milliseconds(0) : gap_after(target_s, each->lateness)));
    if (!each->is_quiet(steady_now()) || !each->window.fill_until(end)) continue;
    parts_.counters.gaps.add(static_cast<std::uint64_t>(each->window.next() - before));
    slide();
    publish(*each);
  }
}

bool Channel::wants_transcoder() const {
  auto record = record_.load();
  bool has_slate = record->job.live->channel.between == media::Between::slate &&
                   record->job.live->setup.has_value();
  bool is_recent = last_taken_ != SteadyTime{} && steady_now() - last_taken_ < linger;
  return has_slate || is_recent;
}

void Channel::tick() {
  if (ending_ || stopped_) return;
  for (media::FeedSlot slot : media::all_feed_slots)
    if (line_->is_taken(slot)) last_taken_ = steady_now();
  transcoder_->want(wants_transcoder());
  fill_gaps();
  note_change();
}

net::Task<void> Channel::touched(std::weak_ptr<Channel> channel) {
  if (auto self = channel.lock()) self->tick();
  co_return;
}

void Channel::note_change() {
  Situation now{.record = record(), .rules = rules(), .status = status_, .failed_why = failed_why_};
  for (media::FeedSlot slot : media::all_feed_slots) {
    auto index = static_cast<std::size_t>(slot);
    now.publishing[index] = line_->is_taken(slot);
    now.dropped_units[index] = line_->dropped(slot);
    now.refusals[index] = line_->refusals(slot);
  }
  now.transcoder_runs = transcoder_->is_running();
  now.restarts = transcoder_->restarts();
  now.trouble = transcoder_->trouble();
  now.trouble_at = transcoder_->trouble_at();
  if (!tracks_.empty()) {
    now.next_segment = tracks_.front()->window.next();
    now.window_us = tracks_.front()->window.duration_us();
  }
  for (const auto& each : tracks_) now.bytes += each->window.bytes();
  document_.store(std::make_shared<const boost::json::object>(document_of(now)));
  std::string state = notable_of(now);
  if (state == told_ || ended_ || stopped_) return;
  told_ = state;
  net::spawn(parts_.io, tell(shared_from_this(), std::move(state)));
}

net::Task<void> Channel::tell(Self self, std::string state) {
  const media::Job job = self->record()->job;
  auto tell = [&] {
    self->parts_.keeper.tell(job, state);
    return true;
  };
  co_await net::run_blocking(self->parts_.blocking, tell);
}

net::Task<Result<void>> Channel::end(Self self) {
  if (std::exchange(self->ending_, true))
    co_return fail(ErrorKind::conflict, ErrorSource::client, "the channel is ending already");
  self->line_->close("the channel has ended");
  self->transcoder_->stop();
  co_await self->transcoder_->ended();
  co_await close_segments(self);
  const Recording recording = self->recording();
  const media::Job job = self->record()->job;
  auto end = [&] {
    auto done = self->parts_.keeper.end(job, recording.playlists, recording.duration_us / 1000);
    for (auto& each : self->tracks_)
      if (done) forget_notes(each->notes, self->notes_path(*each));
    return done;
  };
  auto ended = co_await net::run_blocking(self->parts_.blocking, end);
  self->ending_ = ended.has_value();
  if (ended) self->become(recording);
  co_return ended;
}

net::Task<void> Channel::close_segments(Self self) {
  for (auto& each : self->tracks_) {
    Window& window = each->window;
    if (!window.closing() && window.open()) {
      window.close_open();
      co_await commit(self, *each);
    }
    while (window.closing()) {
      std::uint64_t seen = each->settled.version();
      if (window.closing()) co_await each->settled.wait(seen);
    }
  }
}

Channel::Recording Channel::recording() {
  std::vector<const Window*> pictures, sounds;
  if (!grid_) return {};
  for (const media::LiveRendition& each : grid_->setup().renditions)
    (each.video ? pictures : sounds).push_back(&track(each.name)->window);
  Recording recording{.span = recorded_span(pictures, sounds)};
  if (recording.span.is_empty()) return recording;
  for (auto& each : tracks_) {
    each->window.fill_until(recording.span.end);  // all have the same numbers
    media::LiveWindow shown = each->shown_at_end(recording.span);
    if (shown.segments.empty()) continue;
    recording.playlists[each->shared->name] = each->text_of(shown);
    if (each->shared->name != media::thumbnails_name)
      recording.duration_us = std::max(recording.duration_us, duration_us(shown));
  }
  return recording;
}

void Channel::become(const Recording& recording) {
  ended_ = true;
  for (auto& each : tracks_) leave(*each, each->window.keep_only(recording.span));
  for (auto& each : tracks_) publish(*each);
  // Who was woken by the first to end may have seen the others as they were: once more.
  for (auto& each : tracks_) each->shared->changed.notify();
}

milliseconds Channel::parts_stay() const {
  return grid_ ? part_stays(grid_->setup().target_duration_s()) : milliseconds(0);
}

void Channel::stop(const std::string& why) {
  stopped_ = true;
  line_->close(why);
  transcoder_->stop();
  for (auto& each : tracks_) {
    each->shared->closed = true;
    each->shared->changed.notify();
  }
}

}  // namespace relay::origin::live
