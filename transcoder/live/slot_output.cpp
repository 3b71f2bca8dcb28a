#include "transcoder/live/slot_output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "transcoder/sound_encoder.hpp"

namespace relay::transcoder::live {

namespace {
constexpr std::size_t noted_pictures_max = 60;  // a second
constexpr std::size_t sound_s = 4;              // held
constexpr std::int64_t sound_us = sound_s * 1'000'000;
constexpr std::int64_t no_picture_us = 3'000'000;  // sound for so long and no picture
constexpr std::int64_t no_other_us = 3'000'000;    // a track is refused, and no other comes
constexpr std::int64_t nothing_us = 10'000'000;    // the longest group that is in use
// Of one whose pictures come, but not in time through the decoder.
constexpr std::int64_t behind_least_us = 200'000, arrival_us = 500'000, slow_us = 5'000'000;
constexpr float audible = 0.0003F;           // -70 dB of full scale
constexpr float digital_silence = 0.00004F;  // one step of 16 bits

// Some publishers send seconds at once: what was sent last is heard when its time has come.
std::int64_t heard_until(std::int64_t sample, std::int64_t now_us) {
  std::int64_t until = av_rescale(sample, 1'000'000, sound_rate);
  return std::clamp(until, now_us, now_us + sound_us);
}

}  // namespace

SlotOutput::SlotOutput(SlotPatience patience)
    : patience_(patience), sound_(sound_s * static_cast<std::size_t>(sound_rate)) {
}

// Pictures and sound of the stream before stay until their time has come.
void SlotOutput::begin(std::int64_t now_us) {
  std::lock_guard lock(mutex_);
  status_ = {};
  begun_us_ = now_us;
  refused_track_.clear();
  present_ = true;
  picture_seen_ = sound_seen_ = false;
  still_.reset();
  picture_stands_.forget();
  sound_stands_.forget();
}

void SlotOutput::end(std::string error) {
  std::lock_guard lock(mutex_);
  present_ = false;
  status_.error = std::move(error);
}

void SlotOutput::refuse_track(std::string why) {
  std::lock_guard lock(mutex_);
  refused_track_ = std::move(why);
}

void SlotOutput::describe_picture(std::string words) {
  std::lock_guard lock(mutex_);
  status_.video = std::move(words);
}

void SlotOutput::describe_sound(std::string words) {
  std::lock_guard lock(mutex_);
  status_.audio = std::move(words);
}

void SlotOutput::add_picture(std::int64_t time_us, av::Frame picture, std::int64_t now_us) {
  Signature signature = Signature::of(*picture);
  std::lock_guard lock(mutex_);
  picture_seen_ = true;
  added_us_ = now_us;
  if (!still_ || !still_->is_like(signature)) {
    still_ = signature;
    picture_stands_.end(now_us);
  }
  if (time_us <= taken_us_) {
    ++status_.dropped_frames;
    return;
  }
  // After a step back of the mapping the new times count.
  while (!pictures_.empty() && pictures_.back().time_us >= time_us) pictures_.pop_back();
  // Those that are due first stay, or none would ever be shown.
  if (pictures_.size() < noted_pictures_max)
    pictures_.push_back({time_us, std::move(picture)});
  else
    ++status_.dropped_frames;
}

void SlotOutput::add_captions(std::int64_t time_us, Bytes triples) {
  std::lock_guard lock(mutex_);
  captions_.add(time_us * 1000, std::move(triples));
}

Bytes SlotOutput::take_captions(std::int64_t time_us) {
  std::lock_guard lock(mutex_);
  return captions_.take(time_us * 1000);
}

void SlotOutput::add_sound(std::int64_t sample, const StereoSamples& samples, std::int64_t now_us) {
  float loudest = 0;
  for (const auto* side : {&samples.left, &samples.right})
    for (float value : *side) loudest = std::max(loudest, std::abs(value));
  std::lock_guard lock(mutex_);
  if (loudest > audible || !sound_seen_) heard_us_ = now_us;
  if (loudest > digital_silence)
    sound_stands_.end(heard_until(sample + static_cast<std::int64_t>(samples.left.size()), now_us));
  if (!sound_seen_) sound_since_us_ = now_us;
  sound_seen_ = true;
  sound_.write(sample, samples.left, samples.right);
}

void SlotOutput::drop(std::int64_t pictures) {
  std::lock_guard lock(mutex_);
  status_.dropped_frames += pictures;
}

void SlotOutput::note_clock(std::int64_t jumps, std::int64_t delay_us) {
  std::lock_guard lock(mutex_);
  status_.jumps = jumps;
  status_.delay_ms = delay_us / 1000;
}

void SlotOutput::note_arrival(std::int64_t now_us) {
  std::lock_guard lock(mutex_);
  arrived_us_ = now_us;
}

void SlotOutput::note_behind(std::int64_t us) {
  std::lock_guard lock(mutex_);
  behind_now_us_ = us;
  behind_us_ = std::max(behind_us_, us);
}

bool SlotOutput::is_working(std::int64_t now_us) {
  std::lock_guard lock(mutex_);
  return present_ && is_behind(now_us) && now_us - added_us_ < slow_us;
}

// Pictures come, and wait for our decoder.
bool SlotOutput::is_behind(std::int64_t now_us) const {
  return behind_now_us_ > behind_least_us && now_us - arrived_us_ < arrival_us;
}

std::int64_t SlotOutput::take_behind_us() {
  std::lock_guard lock(mutex_);
  return std::exchange(behind_us_, 0);
}

av::Frame SlotOutput::take_picture(std::int64_t time_us) {
  std::lock_guard lock(mutex_);
  av::Frame newest;
  while (!pictures_.empty() && pictures_.front().time_us <= time_us) {
    taken_us_ = pictures_.front().time_us;
    newest = std::move(pictures_.front().picture);
    pictures_.pop_front();
  }
  return newest;
}

std::int64_t SlotOutput::read_sound(std::int64_t sample, std::int64_t count, float* left,
                                    float* right) {
  std::lock_guard lock(mutex_);
  return sound_.read(sample, count, left, right);
}

media::SlotState SlotOutput::state(std::int64_t now_us, bool pictures) const {
  if (!present_) return status_.error.empty() ? media::SlotState::absent : media::SlotState::failed;
  if (lacks_picture(now_us, pictures) || lacks_all(now_us)) return media::SlotState::failed;
  if (pictures ? !picture_seen_ : !sound_seen_) return media::SlotState::starting;
  if (pictures && picture_stands_.at(now_us).still_us > patience_.frozen_us)
    return media::SlotState::frozen;
  if (sound_seen_ && now_us - heard_us_ > patience_.silent_us) return media::SlotState::silent;
  return media::SlotState::ready;
}

bool SlotOutput::lacks_picture(std::int64_t now_us, bool pictures) const {
  return pictures && sound_seen_ && !picture_seen_ && now_us - sound_since_us_ > no_picture_us;
}

bool SlotOutput::lacks_all(std::int64_t now_us) const {
  if (picture_seen_ || sound_seen_) return false;
  // Beside a track that is refused there may be one that we take.
  return now_us - begun_us_ > (refused_track_.empty() ? nothing_us : no_other_us);
}

media::SlotStatus SlotOutput::status(std::int64_t now_us, bool pictures) {
  std::lock_guard lock(mutex_);
  media::SlotStatus status = status_;
  status.state = state(now_us, pictures);
  if (!present_ || status.state != media::SlotState::failed) return status;
  if (!refused_track_.empty())
    status.error = refused_track_;
  else if (sound_seen_)
    status.error = "the stream has no picture, and the channel has one";
  else
    status.error = fmt::format("no picture and no sound that can be decoded came for {} s",
                               nothing_us / 1'000'000);
  return status;
}

SlotStanding SlotOutput::standing(std::int64_t now_us) {
  std::lock_guard lock(mutex_);
  if (!present_) return {};
  SlotStanding standing{picture_stands_.at(now_us), sound_stands_.at(now_us)};
  if (is_behind(now_us)) standing.picture = {};  // it is not the publisher who stands still
  return standing;
}

}  // namespace relay::transcoder::live
