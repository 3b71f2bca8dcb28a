// What viewers see and hear, frame by frame on the channel clock: which slot is on air, its newest
// picture in every size, its sound. Nothing here waits for anything but the clock.
//
// While no slot is on air there is slate (the last picture darkened, and silence), or, for a
// channel with gaps, slate to the end of the segment and then nothing; where it begins again says
// Beginning.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "common/media/live.hpp"
#include "transcoder/live/beginning.hpp"
#include "transcoder/live/caption_lanes.hpp"
#include "transcoder/live/channel_clock.hpp"
#include "transcoder/live/grid.hpp"
#include "transcoder/live/on_air.hpp"
#include "transcoder/live/part_output.hpp"
#include "transcoder/live/rung_pool.hpp"
#include "transcoder/live/shedding.hpp"
#include "transcoder/live/slot_output.hpp"
#include "transcoder/live/sound_lane.hpp"
#include "transcoder/live/thumbnail_lane.hpp"
#include "transcoder/scaler.hpp"

namespace relay::transcoder::live {

using SlotOutputs = std::array<SlotOutput, media::feed_slots>;

struct MixerTools {
  const Grid& grid;
  const ChannelClock& clock;
  SlotOutputs& slots;
  RungPool& pool;
  SoundLane& sound;
  ThumbnailLane& thumbnails;
  PartOutput& output;
};

/// What the mixer tells while it works.
struct MixerReports {
  std::function<void(const media::LiveStatus&)> status;  // once a second
  std::function<void(CaptionChannels)> captions;         // on more channels than before
};

/// One thread.
class Mixer {
 public:
  /// All in `tools` outlive this.
  Mixer(const MixerTools& tools, const media::LiveJob& job, const LiveEncoding& live);

  /// Works until `ending`, then to the end of the part at hand, or until the output failed.
  void run(const std::atomic<bool>& ending, const MixerReports& reports);

 private:
  void skip_to_now();
  void choose_slot(std::int64_t time_us);
  void take_captions(std::int64_t time_us);
  void decide_production();
  void begin(const Stretch& stretch);
  bool makes(std::size_t rung) const;
  void show();
  const AVFrame* picture();
  bool scale(const AVFrame& from, const std::vector<bool>& needed);
  void sound_until(std::int64_t number);
  void end_sound(std::int64_t part);
  void mix_sound(std::int64_t number, float* left, float* right);
  void look_after(std::int64_t time_us);
  media::LiveStatus status();

  const MixerTools tools_;
  const media::LiveSetup& setup_;
  const bool gaps_;
  const bool has_picture_;
  const int sound_ahead_;  // AAC frames before their moment
  Scaler scaler_;
  OnAir on_air_;
  Shedding shedding_;

  std::int64_t frame_;
  Beginning beginning_;
  std::vector<std::int64_t> first_frames_;  // of the rungs, since production began
  bool producing_ = false;
  int slot_ = -1;
  std::array<Candidate, media::feed_slots> candidates_;
  std::array<av::Frame, media::feed_slots> newest_;
  av::Frame slate_;
  av::Frame shown_;                // of which scaled_ are the sizes
  std::vector<av::Frame> scaled_;  // by rung
  CaptionLanes captions_;
  CaptionChannels captions_told_;
  int shed_wanted_ = 0, shed_ = 0;  // from the dearest on; changes with a segment
  std::int64_t next_sound_ = 0;     // AAC frame
  int heard_ = -1;                  // the slot of the last one
  std::int64_t looked_us_ = 0, reported_us_ = 0, worst_delay_us_ = 0;
};

}  // namespace relay::transcoder::live
