// What a slot has ready for the mixer: pictures in the channel's size and 48 kHz stereo sound, both
// by their time on the channel clock, and how the slot is.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "common/media/live.hpp"
#include "transcoder/av.hpp"
#include "transcoder/captions.hpp"
#include "transcoder/live/sample_ring.hpp"
#include "transcoder/live/signature.hpp"
#include "transcoder/live/standstill.hpp"
#include "transcoder/resampler.hpp"

namespace relay::transcoder::live {

struct SlotPatience {
  std::int64_t frozen_us = 10'000'000;
  std::int64_t silent_us = 10'000'000;
};

struct SlotStanding {
  Standing picture, sound;
};

/// Thread-safe: a stream's threads write, the mixer reads.
class SlotOutput {
 public:
  explicit SlotOutput(SlotPatience patience);

  // --- of the publisher's stream
  void begin(std::int64_t now_us);
  /// `error` empty: it came to its end.
  void end(std::string error);
  /// A track of it is left out, `why` is a sentence; of the others something may come yet.
  void refuse_track(std::string why);
  void describe_picture(std::string words);
  void describe_sound(std::string words);
  void add_picture(std::int64_t time_us, av::Frame picture, std::int64_t now_us);
  /// What a picture of that time brought, whether it will be shown or not.
  void add_captions(std::int64_t time_us, Bytes triples);
  void add_sound(std::int64_t sample, const StereoSamples& samples, std::int64_t now_us);
  void drop(std::int64_t pictures);
  void note_clock(std::int64_t jumps, std::int64_t delay_us);
  /// A picture arrived, decoded or not.
  void note_arrival(std::int64_t now_us);
  /// How far decoding is behind what has come.
  void note_behind(std::int64_t us);

  // --- of the mixer
  /// The newest picture that is due at `time_us`; older ones are gone with it. Null: no new one.
  av::Frame take_picture(std::int64_t time_us);
  /// All that are due at `time_us`.
  Bytes take_captions(std::int64_t time_us);
  /// Pictures come in, too many for the decoder, and some of them come out: it is not lost.
  bool is_working(std::int64_t now_us);
  /// The most since the last call.
  std::int64_t take_behind_us();
  /// As SampleRing::read().
  std::int64_t read_sound(std::int64_t sample, std::int64_t count, float* left, float* right);
  /// `pictures`: whether the channel has any.
  media::SlotStatus status(std::int64_t now_us, bool pictures);
  SlotStanding standing(std::int64_t now_us);

 private:
  struct Waiting {
    std::int64_t time_us;
    av::Frame picture;
  };
  bool is_behind(std::int64_t now_us) const;
  bool lacks_picture(std::int64_t now_us, bool pictures) const;
  bool lacks_all(std::int64_t now_us) const;
  media::SlotState state(std::int64_t now_us, bool pictures) const;

  const SlotPatience patience_;
  std::mutex mutex_;  // guards all below
  media::SlotStatus status_;
  bool present_ = false, picture_seen_ = false, sound_seen_ = false;
  std::int64_t begun_us_ = 0;
  std::string refused_track_;
  std::deque<Waiting> pictures_;  // by time
  std::int64_t taken_us_ = INT64_MIN;
  SourceCaptions captions_;
  std::optional<Signature> still_;  // the last picture that differed from the one before
  Standstill picture_stands_, sound_stands_;
  std::int64_t heard_us_ = 0, sound_since_us_ = 0;
  std::int64_t arrived_us_ = INT64_MIN / 2, added_us_ = INT64_MIN / 2;  // the newest picture
  std::int64_t behind_us_ = 0, behind_now_us_ = 0;
  SampleRing sound_;
};

}  // namespace relay::transcoder::live
