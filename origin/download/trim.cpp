#include "origin/download/trim.hpp"

#include <utility>

namespace relay::origin::download {
namespace {

/// A sample by its places.
struct Place {
  std::size_t chunk = 0, sample = 0;
};

/// Calls see(place, sample, when it is shown) for all.
template <class See>
void for_each(const Track& track, See see) {
  for (std::size_t i = 0; i < track.chunks.size(); ++i) {
    const Fragment& fragment = track.chunks[i].fragment;
    auto decoded = static_cast<std::int64_t>(fragment.decode_time);
    for (std::size_t k = 0; k < fragment.samples.size(); ++k) {
      const Sample& sample = fragment.samples[k];
      see(Place{i, k}, sample, static_cast<std::uint64_t>(decoded + sample.composition));
      decoded += sample.duration;
    }
  }
}

void drop_front(Fragment& fragment, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    fragment.decode_time += fragment.samples[i].duration;
    fragment.data_offset += fragment.samples[i].bytes;
  }
  fragment.samples.erase(fragment.samples.begin(),
                         fragment.samples.begin() + static_cast<std::ptrdiff_t>(count));
}

}  // namespace

void trim(Track& track, std::uint64_t from, std::uint64_t to) {
  Place first, end;  // of `end`: one past the last
  for_each(track, [&](Place place, const Sample& sample, std::uint64_t shown) {
    if (sample.sync && shown <= from) first = place;
    if (shown < to) end = {place.chunk, place.sample + 1};
  });
  if (std::pair(end.chunk, end.sample) <= std::pair(first.chunk, first.sample)) {
    track.chunks.clear();
    return;
  }
  track.chunks.resize(end.chunk + 1);
  track.chunks.back().fragment.samples.resize(end.sample);
  drop_front(track.chunks[first.chunk].fragment, first.sample);
  track.chunks.erase(track.chunks.begin(),
                     track.chunks.begin() + static_cast<std::ptrdiff_t>(first.chunk));
}

}  // namespace relay::origin::download
