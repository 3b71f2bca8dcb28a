// The sound rendition: decoded, made 48 kHz stereo, gaps filled, overlaps trimmed, encoded as
// AAC-LC, cut at the audio frame nearest to each cut of the picture.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/error.hpp"
#include "transcoder/av.hpp"
#include "transcoder/chunker.hpp"
#include "transcoder/decoder.hpp"
#include "transcoder/delivery.hpp"
#include "transcoder/demuxer.hpp"
#include "transcoder/resampler.hpp"
#include "transcoder/sound_encoder.hpp"
#include "transcoder/timeline.hpp"

namespace relay::transcoder {

/// The sound of one source from its first sample to the end of the picture. One thread.
class Sound {
 public:
  struct Place {
    std::int64_t zero_ns = 0;  // source time of the presentation's begin
    int track = 0;
    std::int64_t first_segment = 0;  // earlier ones are published already
    bool alone = false;              // no picture: it ends where the sound ends
  };
  Sound(Demuxer& demuxer, Decoder decoder, SoundEncoder encoder, const Chunker& chunker,
        Timeline& timeline, Delivery& delivery, Place place);

  /// Returns after the last segment was delivered, or after a stop.
  Result<void> run();
  const Decoder& decoder() const { return decoder_; }
  std::int64_t duration_ms() const { return frames_out_ * sound_frame * 1000 / sound_rate; }

 private:
  Result<void> take_all(Decoder& decoder);
  Result<void> take(const AVFrame& frame);
  Result<void> resample(const AVFrame* frame);
  Result<void> place_at(std::int64_t sample);
  Result<void> add_silence(std::int64_t samples);
  Result<void> encode_whole_frames();
  Result<void> finish();
  void deliver_ready();
  void deliver_segment(std::int64_t frames_end, bool last);
  bool full() const;
  std::int64_t picture_frames(std::int64_t samples) const;
  std::int64_t cut_after(std::int64_t segment) const;

  Demuxer& demuxer_;
  Decoder decoder_;
  SoundEncoder encoder_;
  const Chunker& chunker_;
  Timeline& timeline_;
  Delivery& delivery_;
  Place place_;

  Resampler resampler_;
  double drift_samples_ = 0;         // smoothed: how late the source is against what we wrote
  std::int64_t trim_samples_ = 0;    // to throw away next
  std::vector<float> left_, right_;  // resampled, not yet encoded
  std::int64_t encoded_samples_ = 0;
  std::deque<Sample> ready_;  // encoded, not yet in a segment
  std::int64_t segment_ = 0;
  std::int64_t frames_out_ = 0;             // in delivered segments
  std::optional<std::int64_t> frames_end_;  // where the presentation ends, once known
};

}  // namespace relay::transcoder
