#include "transcoder/live/mapping.hpp"

#include <algorithm>
#include <cstdlib>

#include "transcoder/frame_rate.hpp"

namespace relay::transcoder::live {

namespace {
constexpr std::int64_t same_us = 100'000;             // offsets nearer than this are the same clock
constexpr std::int64_t sane_late_us = 300'000;        // of a track that takes the other's offset
constexpr std::int64_t composition_max_us = 500'000;  // reordering of slow pictures
constexpr std::int64_t drift_least_us = 40'000;       // less is left alone
}  // namespace

std::int64_t Unwrapper::beside(std::int64_t raw) const {
  if (!last_ || bits_ >= 63) return raw;
  std::int64_t turn = std::int64_t{1} << bits_;
  std::int64_t step = (raw - *last_) % turn;
  if (step > turn / 2) step -= turn;
  if (step < -turn / 2) step += turn;
  return *last_ + step;
}

std::int64_t CompositionOffset::next(std::int64_t composition_us) {
  recent_[count_++ % pictures] = composition_us;
  auto end = recent_.begin() + static_cast<std::ptrdiff_t>(std::min(count_, pictures));
  std::int64_t least = *std::min_element(recent_.begin(), end);
  return least < 0 || least > composition_max_us ? least : 0;
}

void Mapping::begin(std::int64_t dts, std::int64_t arrival) {
  begun_ = true;
  window_begin_ = arrival;
  std::int64_t offset = on_grid(arrival + rules_.delay_us) - dts;
  for (Line& line : lines_) line.offset = offset;
  lead_ = rules_.delay_us;
}

std::int64_t Mapping::offset(Track track, std::int64_t dts, std::int64_t arrival) {
  if (arrival - window_begin_ >= rules_.window_us) close_window(arrival);
  Line& line = lines_[static_cast<std::size_t>(track)];
  std::int64_t lead = dts + line.offset - arrival;
  bool back = line.seen && dts < line.last_dts - rules_.back_us;
  bool early = lead > rules_.delay_us + rules_.early_us;
  // The first of a track may have a clock of its own.
  bool foreign = !line.seen && lead < -rules_.early_us;
  if (back || early || foreign) map_anew(track, dts, arrival);
  line.seen = true;
  line.last_dts = dts;
  lead = dts + line.offset - arrival;
  line.lead_max = std::max(line.lead_max.value_or(lead), lead);
  if (lead >= (track == Track::sound ? rules_.sound_least_us : 0)) {
    line.late_since.reset();
    return line.offset;
  }
  if (!line.late_since) line.late_since = arrival;
  if (arrival - *line.late_since >= rules_.late_us) {
    shift(rules_.delay_us - lead);
    begin_window(arrival);
    ++jumps_;
  }
  return line.offset;
}

void Mapping::begin_window(std::int64_t arrival) {
  window_begin_ = arrival;
  drift_ = 0;
  for (Line& line : lines_) {
    line.lead_max.reset();
    line.late_since.reset();
  }
}

void Mapping::map_anew(Track track, std::int64_t dts, std::int64_t arrival) {
  Line& line = lines_[static_cast<std::size_t>(track)];
  Line& other = lines_[1 - static_cast<std::size_t>(track)];
  std::int64_t with_other = dts + other.offset - arrival;
  bool sane = with_other > -sane_late_us && with_other < rules_.delay_us + rules_.early_us;
  bool moved = std::abs(other.offset - line.offset) > same_us;
  line.lead_max.reset();
  if (other.seen && moved && sane) {
    line.offset = other.offset;
    return;
  }
  line.offset = on_grid(arrival + rules_.delay_us) - dts;
  ++jumps_;
}

// The track whose best is worst decides: what it needs, the other can wait for.
void Mapping::close_window(std::int64_t arrival) {
  std::optional<std::int64_t> lead;
  for (Line& line : lines_) {
    if (line.lead_max) lead = std::min(lead.value_or(*line.lead_max), *line.lead_max);
    line.lead_max.reset();
  }
  window_begin_ = arrival;
  if (!lead) return;
  lead_ = *lead;
  std::int64_t above = *lead - rules_.delay_us;
  if (above > rules_.step_us) {
    shift(-above);
    begin_window(arrival);
    ++jumps_;
    return;
  }
  std::int64_t tolerated = std::max(drift_least_us, frame_us() * 3 / 2);
  bool again = (above > tolerated && drift_ > 0) || (above < -tolerated && drift_ < 0);
  drift_ = std::abs(above) > tolerated ? above : 0;
  if (!again) return;
  shift(above > 0 ? -frame_us() : frame_us());
  drift_ = 0;
}

// By whole frames, so that pictures keep their place between the frames of the grid.
void Mapping::shift(std::int64_t by) {
  std::int64_t frames = by / frame_us();
  if (frames == 0) frames = by < 0 ? -1 : 1;
  std::int64_t exact = time_of_frame(std::abs(frames), rules_.rate) / 1000;
  for (Line& line : lines_) line.offset += frames < 0 ? -exact : exact;
}

std::int64_t Mapping::on_grid(std::int64_t time) const {
  return time_of_frame(relay::transcoder::frame_at(time * 1000, rules_.rate), rules_.rate) / 1000;
}

std::int64_t Mapping::frame_us() const {
  return std::max<std::int64_t>(1, time_of_frame(1, rules_.rate) / 1000);
}

}  // namespace relay::transcoder::live
