// What a channel takes in from its transcoder.
#include <fmt/format.h>

#include <utility>

#include "common/base/log.hpp"
#include "origin/live/channel.hpp"
#include "origin/live/half_done_file.hpp"

namespace relay::origin::live {
namespace {

std::unexpected<Error> not_there(std::string what) {
  return fail(ErrorKind::not_found, ErrorSource::client, std::move(what));
}

}  // namespace

net::Task<Result<void>> Channel::save(Self self, std::function<void(ChannelRecord&)> change) {
  while (self->saving_) {
    std::uint64_t seen = self->saved_.version();
    if (self->saving_) co_await self->saved_.wait(seen);
  }
  self->saving_ = true;
  auto record = std::make_shared<ChannelRecord>(*self->record());
  change(*record);
  auto save = [&] { return self->parts_.keeper.save(*record); };
  auto saved = co_await net::run_blocking(self->parts_.blocking, save);
  if (saved) self->record_.store(record);
  self->saving_ = false;
  self->saved_.notify();
  co_return saved;
}

net::Task<Result<void>> Channel::take_setup(Self self, media::LiveSetup setup) {
  auto known = self->record();
  if (known->job.live->setup) {
    if (media::to_json(*known->job.live->setup) == media::to_json(setup)) co_return Result<void>();
    co_return fail(ErrorKind::conflict, ErrorSource::client,
                   "a version's renditions never change, and this setup is another one");
  }
  std::function<void(ChannelRecord&)> change = [&](ChannelRecord& record) {
    record.job.live->setup = setup;
    record.window = self->window_mark(self->rules());
  };
  auto saved = co_await save(self, change);
  if (saved && self->tracks_.empty()) self->make_tracks(setup);
  co_return saved;
}

net::Task<Result<void>> Channel::take_part(Self self, PartArrival arrival) {
  Track* track = self->track(arrival.rendition);
  if (self->stopped_) co_return not_there("the channel was deleted");
  if (!track) co_return not_there("the setup names no rendition '" + arrival.rendition + "'");
  for (auto& each : self->tracks_)
    if (!each->window.has_begun()) each->window.begin_at(arrival.segment);
  Window& window = track->window;
  while (window.closing() && arrival.segment > window.closing()->number) {
    std::uint64_t seen = track->settled.version();
    if (window.closing()) co_await track->settled.wait(seen);
  }
  Window::Fit fit = window.fit(arrival.segment, arrival.part, arrival.digest);
  if (fit == Window::Fit::late) self->parts_.counters.late_parts.add();
  if (fit == Window::Fit::late || fit == Window::Fit::same) co_return Result<void>();
  if (fit == Window::Fit::early) {
    co_return fail(ErrorKind::conflict, ErrorSource::client,
                   fmt::format("part {} of segment {} came before those that belong in front of it",
                               arrival.part, arrival.segment));
  }
  auto path = self->segment_path(*track, arrival.segment);
  auto notes = self->notes_path(*track);
  std::uint64_t offset = window.offset_of(arrival.segment);
  auto write = [&]() -> Result<void> {
    auto written = write_part(track->file, path, offset, arrival.bytes);
    if (!written) return written;
    return add_note(track->notes, notes, static_cast<std::size_t>(arrival.part),
                    note_of(arrival.segment, part_of(arrival), arrival.last));
  };
  auto written = co_await net::run_blocking(self->parts_.writing, write);
  if (!written) co_return written;
  // Meanwhile the clock may have passed it over.
  if (window.fit(arrival.segment, arrival.part, arrival.digest) == Window::Fit::next)
    self->show(*track, arrival);
  co_return Result<void>();
}

void Channel::show(Track& track, const PartArrival& arrival) {
  if (arrival.part == 0) track.digest = DigestStream();
  track.digest.update(arrival.bytes);
  track.last_part = steady_now();
  track.window.add(arrival.segment, part_of(arrival), arrival.last);
  parts_.counters.parts.add();
  parts_.counters.part_bytes.add(arrival.bytes.size());
  publish(track);
  if (arrival.last) net::spawn(parts_.io, commit(shared_from_this(), track));
}

net::Task<void> Channel::commit(Self self, Track& track) {
  const Segment segment = *track.window.closing();
  const Digest128 digest = track.digest.digest();
  const std::vector<media::KeyPicture> keys = track.window.keys_of(segment);
  const store::UniqueFd file = std::move(track.file);
  const media::Job job = self->record()->job;
  auto path = self->segment_path(track, segment.number);
  auto notes = self->notes_path(track);
  auto keep = [&]() -> Result<void> {
    auto kept = store::sync_new(file.get(), path);
    if (kept) kept = self->parts_.keeper.keep(job, track.shared->name, segment, digest, keys);
    // After a restart, too, it is the gap that viewers are about to see.
    if (!kept) forget_notes(track.notes, notes);
    return kept;
  };
  auto kept = co_await net::run_blocking(self->parts_.blocking, keep);
  if (kept)
    self->parts_.counters.segments.add();
  else if (!self->stopped_)
    log::error("a segment of a channel could not be kept",
               {log::kv("tenant", job.tenant), log::kv("asset", job.asset),
                log::kv("rendition", track.shared->name), log::kv("segment", segment.number),
                log::kv("why", kept.error().message)});
  track.window.settle(kept.has_value());
  track.lateness = self->grid_->lateness(segment.number, wall_now());
  self->slide();
  self->publish(track);
  track.settled.notify();
}

}  // namespace relay::origin::live
