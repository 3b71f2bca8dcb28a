#include "transcoder/live/mixer.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "common/base/log.hpp"
#include "transcoder/caption_data.hpp"
#include "transcoder/live/canvas.hpp"
#include "transcoder/live/setup.hpp"

namespace relay::transcoder::live {

namespace {

constexpr std::int64_t look_us = 250'000;
constexpr std::int64_t no_scaling_us = 120'000;  // behind the clock: the sizes before serve again
constexpr std::int64_t lost_us = 5'000'000;      // behind the clock: go on at its present

SheddingRules shedding_rules(const media::LiveSetup& setup) {
  SheddingRules rules;
  rules.bound_us = std::max(rules.bound_us, setup.part_target_ms() * 1000);
  rules.settle_us = setup.microseconds_of(setup.segment_frames) + rules.patience_us;
  return rules;
}

}  // namespace

Mixer::Mixer(const MixerTools& tools, const media::LiveJob& job, const LiveEncoding& live)
    : tools_(tools),
      setup_(tools.grid.setup()),
      gaps_(job.channel.between == media::Between::gap),
      has_picture_(setup_.renditions.front().video),
      sound_ahead_(live.delay.count() * 1000 >= sound_ahead_us ? sound_encoder_frames : 0),
      scaler_(pictures_of(setup_)),
      on_air_({.hold_us = job.channel.hold_ms * 1000,
               .return_to_primary = job.channel.return_to_primary,
               .return_us = live.return_after.count() * 1000}),
      shedding_(shedding_rules(setup_), static_cast<int>(tools.pool.size())),
      frame_(std::max<std::int64_t>(0, setup_.frame_at(tools.clock.now_us()))),
      beginning_(tools.grid, job, frame_),
      first_frames_(tools.pool.size()),
      captions_(tools.pool.size()) {
}

void Mixer::run(const std::atomic<bool>& ending, const MixerReports& reports) {
  std::optional<std::int64_t> end;  // the first frame that is not made
  while (!tools_.output.failed()) {
    if (ending && !end) {
      // A part that has not come out of any encoder yet.
      std::int64_t last = tools_.grid.part_of_frame(frame_ + 2);
      tools_.output.end_with(last);
      end = producing_ ? tools_.grid.first_frame(last + 1) : frame_;
    }
    if (end && frame_ >= *end) break;
    std::int64_t time = setup_.microseconds_of(frame_);
    std::this_thread::sleep_until(tools_.clock.at(time));
    if (tools_.clock.now_us() - time > lost_us) skip_to_now();
    choose_slot(time);
    decide_production();
    take_captions(time);
    if (producing_) show();
    ++frame_;
    look_after(time);
    if (captions_.channels() != captions_told_)
      reports.captions(captions_told_ = captions_.channels());
    if (time - reported_us_ < media::live_status_each_us) continue;
    reported_us_ = time;
    reports.status(status());
  }
  if (producing_) end_sound(tools_.grid.part_of_frame(frame_));
}

// The process did not run for a while: what it missed is a gap.
void Mixer::skip_to_now() {
  if (producing_) beginning_.not_before(tools_.grid.segment_of_frame(frame_) + 1);
  frame_ = setup_.frame_at(tools_.clock.now_us());
  producing_ = false;
}

void Mixer::choose_slot(std::int64_t time_us) {
  std::int64_t frame_us = setup_.microseconds_of(frame_ + 1) - time_us;
  for (std::size_t i = 0; i < tools_.slots.size(); ++i) {
    SlotOutput& slot = tools_.slots[i];
    SlotStanding standing = slot.standing(time_us);
    candidates_[i].state = slot.status(time_us, has_picture_).state;
    candidates_[i].picture = standing.picture;
    candidates_[i].sound = standing.sound;
    bool fresh;
    if (has_picture_) {
      av::Frame picture = slot.take_picture(time_us + frame_us / 2);
      fresh = picture || (newest_[i] && slot.is_working(time_us));
      if (picture) newest_[i] = std::move(picture);
    } else {
      float left, right;
      fresh = slot.read_sound(av_rescale(time_us, sound_rate, 1'000'000), 1, &left, &right) > 0;
    }
    if (!has_begun(candidates_[i].state)) candidates_[i].was_fresh = false;
    if (!fresh) continue;
    candidates_[i].fresh_us = time_us;
    candidates_[i].was_fresh = has_begun(candidates_[i].state);
  }
  int chosen = on_air_.at(time_us, candidates_);
  if (chosen == slot_) return;
  if (chosen < 0 && slot_ >= 0 && has_picture_)
    slate_ = darkened(*newest_[static_cast<std::size_t>(slot_)]);
  log::info("on air", {kv("slot", chosen < 0 ? "none" : media::name(media::FeedSlot(chosen))),
                       kv("frame", frame_)});
  slot_ = chosen;
}

// Of both slots, for what is old by now is of no use to a slot that goes on air later.
void Mixer::take_captions(std::int64_t time_us) {
  for (std::size_t i = 0; i < tools_.slots.size(); ++i) {
    Bytes triples = tools_.slots[i].take_captions(time_us);
    if (producing_ && static_cast<int>(i) == slot_)
      captions_.add(triples, static_cast<std::size_t>(shed_));
  }
}

void Mixer::decide_production() {
  bool wanted = slot_ >= 0 || !gaps_;
  if (tools_.grid.begins_segment(frame_)) {
    shed_ = shed_wanted_;
    if (producing_ && !wanted) {
      end_sound(tools_.grid.part_of_frame(frame_));
      producing_ = false;
    }
  }
  if (producing_) return;
  if (auto stretch = beginning_.at(frame_, wanted)) begin(*stretch);
}

void Mixer::begin(const Stretch& stretch) {
  std::int64_t sound = beginning_.first_part(setup_.renditions.back().name);
  next_sound_ = tools_.grid.first_unit(sound, {.sound = true});
  for (std::size_t i = 0; i < first_frames_.size(); ++i)
    first_frames_[i] =
        tools_.grid.first_frame(beginning_.first_part(tools_.pool.rung(i).track().name));
  shown_.reset();  // what was shown before is not what this begins with
  std::int64_t now = std::exchange(frame_, stretch.first);
  for (; frame_ < stretch.end; ++frame_) show();
  if (!stretch.goes_on) end_sound(tools_.grid.part_of_frame(stretch.end));
  frame_ = now;
  producing_ = stretch.goes_on;
  // It takes its time to encode them all at once, and is no sign of a machine that is too slow.
  std::int64_t now_us = setup_.microseconds_of(now);
  shedding_.excuse_until(2 * now_us - setup_.microseconds_of(stretch.first));
}

bool Mixer::makes(std::size_t rung) const {
  return frame_ >= first_frames_[rung] && tools_.pool.rung(rung).wants(frame_);
}

const AVFrame* Mixer::picture() {
  if (slot_ >= 0) return newest_[static_cast<std::size_t>(slot_)].get();
  if (!slate_) slate_ = black(setup_.renditions.front().width, setup_.renditions.front().height);
  return slate_.get();
}

void Mixer::show() {
  std::vector<bool> needed(tools_.pool.size());
  bool any = false;
  for (std::size_t i = static_cast<std::size_t>(shed_); i < needed.size(); ++i)
    any |= needed[i] = makes(i);
  if (any && scale(*picture(), needed)) {
    for (std::size_t i = 0; i < needed.size(); ++i) {
      if (!needed[i]) continue;
      av::Frame picture = av::share(*scaled_[i]);
      put_captions(*picture, captions_.take(i));
      tools_.pool.push(i, std::move(picture), frame_);
    }
    // Of the smallest rendition, which shows the begin of every group and is never shed.
    if (tools_.thumbnails.wants(frame_) && scaled_.back())
      tools_.thumbnails.show(*scaled_.back(), frame_);
  }
  std::int64_t next = setup_.microseconds_of(frame_ + 1);
  sound_until(next * sound_rate / 1'000'000 / sound_frame + sound_ahead_);
}

// False when there is nothing of that size to show.
bool Mixer::scale(const AVFrame& from, const std::vector<bool>& needed) {
  bool there = shown_ && !scaled_.empty();
  for (std::size_t i = 0; there && i < needed.size(); ++i) there = !needed[i] || scaled_[i];
  bool behind = tools_.clock.now_us() - setup_.microseconds_of(frame_) > no_scaling_us;
  bool same = shown_ && shown_->data[0] == from.data[0];
  if (there && (same || behind)) return true;
  auto scaled = scaler_.scale(from, needed);
  if (!scaled) {
    tools_.output.fail_with(scaled.error());
    return false;
  }
  scaled_ = std::move(*scaled);
  shown_ = av::share(from);
  return true;
}

// AAC frames before `number`.
void Mixer::sound_until(std::int64_t number) {
  std::array<float, sound_frame> left, right;
  for (; next_sound_ < number; ++next_sound_) {
    mix_sound(next_sound_ * sound_frame, left.data(), right.data());
    tools_.sound.push(left.data(), right.data(), next_sound_);
  }
}

// The parts before `part` become whole.
void Mixer::end_sound(std::int64_t part) {
  sound_until(tools_.grid.first_unit(part, {.sound = true}) + sound_encoder_frames);
}

// From one slot to the other within one AAC frame.
void Mixer::mix_sound(std::int64_t sample, float* left, float* right) {
  auto read = [&](int slot, float* l, float* r) {
    if (slot >= 0) {
      tools_.slots[static_cast<std::size_t>(slot)].read_sound(sample, sound_frame, l, r);
    } else {
      std::fill_n(l, sound_frame, 0.0F);
      std::fill_n(r, sound_frame, 0.0F);
    }
  };
  read(slot_, left, right);
  if (heard_ == slot_) return;
  std::array<float, sound_frame> old_left, old_right;
  read(heard_, old_left.data(), old_right.data());
  heard_ = slot_;
  for (std::size_t i = 0; i < sound_frame; ++i) {
    float share = static_cast<float>(i) / sound_frame;
    left[i] = share * left[i] + (1 - share) * old_left[i];
    right[i] = share * right[i] + (1 - share) * old_right[i];
  }
}

void Mixer::look_after(std::int64_t time_us) {
  if (time_us - looked_us_ < look_us) return;
  looked_us_ = time_us;
  // Encoding takes from decoding what it needs itself: either shows that it is too much.
  std::int64_t delay = tools_.pool.encode_delay_us();
  for (SlotOutput& slot : tools_.slots) delay = std::max(delay, slot.take_behind_us());
  worst_delay_us_ = std::max(worst_delay_us_, delay);
  int wanted = tools_.pool.size() > 0 ? shedding_.at(time_us, delay) : 0;
  if (wanted == shed_wanted_) return;
  bool more = wanted > shed_wanted_;
  std::size_t rung = static_cast<std::size_t>(std::min(wanted, shed_wanted_));
  log::warn(
      more ? "rendition shed: encoding is too slow" : "rendition taken back",
      {kv("rendition", tools_.pool.rung(rung).track().name), kv("encode_delay_ms", delay / 1000)});
  shed_wanted_ = wanted;
}

media::LiveStatus Mixer::status() {
  media::LiveStatus status;
  for (std::size_t i = 0; i < tools_.slots.size(); ++i) {
    status.slots[i] = tools_.slots[i].status(tools_.clock.now_us(), has_picture_);
    media::SlotState judged = on_air_.states()[i];
    if (has_begun(status.slots[i].state) && has_begun(judged)) status.slots[i].state = judged;
  }
  status.on_air = slot_;
  status.switches = on_air_.switches();
  for (int i = 0; i < shed_; ++i)
    status.shed.push_back(tools_.pool.rung(static_cast<std::size_t>(i)).track().name);
  status.encode_delay_ms = std::exchange(worst_delay_us_, 0) / 1000;
  return status;
}

}  // namespace relay::transcoder::live
