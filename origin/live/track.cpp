#include "origin/live/track.hpp"

#include <algorithm>
#include <utility>

#include "origin/live/deadlines.hpp"

namespace relay::origin::live {
namespace {

std::vector<Segment> recent_of(const Window& window) {
  std::vector<Segment> recent;
  const auto& segments = window.segments();
  std::size_t kept = std::min(window.segments_with_parts(), segments.size()),
              first = segments.size() - kept;
  for (std::size_t i = first; i < segments.size(); ++i) recent.push_back(segments[i]);
  if (window.open()) recent.push_back(*window.open());
  return recent;
}

}  // namespace

Part part_of(const PartArrival& arrival) {
  return {arrival.bytes.size(), arrival.ticks, arrival.independent, arrival.digest, arrival.key};
}

bool Track::is_quiet(SteadyTime now) const {
  return now - last_part >= quiet_before_gap(window.setup().target_duration_s());
}

void Track::publish(std::vector<media::LiveReport> reports, bool hints, bool ended) {
  auto view = std::make_shared<View>();
  view->window = window.show(ended);
  view->window.reports = std::move(reports);
  view->window.hints = hints;
  view->next = media::next_of(view->window);
  view->modified = wall_now();
  view->recent = recent_of(window);
  window.note_shown();
  shared->view.store(std::move(view));
  shared->changed.notify();
}

media::LiveWindow Track::shown_at_end(SegmentSpan span) const {
  media::LiveWindow shown = window.show(true);
  narrow(shown, span);
  return shown;
}

std::string Track::text_of(const media::LiveWindow& shown) const {
  if (shared->name != media::thumbnails_name) return media::write(shown);
  return media::write(media::sheets_of(shown, window.setup()));
}

Result<void> write_part(store::UniqueFd& file, const std::filesystem::path& path,
                        std::uint64_t offset, std::string_view bytes) {
  if (offset == 0) {
    // What an earlier run left half done is of no use.
    if (auto removed = store::remove_file(path); !removed) return removed;
    auto made = store::create_new(path);
    if (!made) return std::unexpected(made.error());
    file = std::move(*made);
  }
  return store::write_all_at(file.get(), bytes, offset);
}

}  // namespace relay::origin::live
