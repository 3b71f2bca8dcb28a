// How a channel goes on when the origin starts again.
#include <algorithm>
#include <utility>

#include "origin/live/channel.hpp"
#include "origin/live/half_done_file.hpp"

namespace relay::origin::live {

std::filesystem::path Channel::segment_path(const Track& track, std::int64_t number) const {
  return parts_.keeper.media_path(record()->job, media::segment_object(track.shared->name, number));
}

std::filesystem::path Channel::notes_path(const Track& track) const {
  return parts_.keeper.media_path(record()->job, notes_object(track.shared->name));
}

void Channel::resume(std::map<std::string, std::vector<Segment>> kept) {
  std::vector<std::optional<HalfDone>> half_done;
  std::optional<std::int64_t> first;  // the number that all begin with
  for (auto& each : tracks_) {
    each->window.restore(std::move(kept[each->shared->name]));
    half_done.push_back(take_half_done(*each));
    std::optional<std::int64_t> begin;
    if (half_done.back()) begin = half_done.back()->segment.number;
    if (!each->window.segments().empty()) begin = each->window.segments().front().number;
    if (begin) first = std::min(first.value_or(*begin), *begin);
  }
  if (!first) return;
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    Window& window = tracks_[i]->window;
    if (!window.has_begun()) window.begin_at(*first);
    live::resume(window, std::move(half_done[i]), *grid_, wall_now());
  }
}

/// With its file, if it is not one that was kept.
std::optional<HalfDone> Channel::take_half_done(Track& track) const {
  auto found = read_notes(notes_path(track));
  if (!found || found->segment.number < track.window.next()) return found;
  auto file = reopen(segment_path(track, found->segment.number), found->segment);
  if (!file) return std::nullopt;
  track.file = std::move(file->file);
  track.digest = std::move(file->digest);
  return found;
}

/// As if its publisher had gone a moment ago: a transcoder makes it whole, with his pictures if he
/// is back in time.
void Channel::finish_half_done() {
  for (auto& each : tracks_) {
    if (each->window.closing()) net::spawn(parts_.io, commit(shared_from_this(), *each));
    if (!each->window.open() || each->window.closing()) continue;
    each->last_part = last_taken_ = steady_now();
  }
}

}  // namespace relay::origin::live
