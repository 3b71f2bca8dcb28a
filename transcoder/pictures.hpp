// The picture's way from packets to every rendition's queue: decode, filter, constant frame rate,
// cascade of scales. One decode for all.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "common/base/error.hpp"
#include "transcoder/captions.hpp"
#include "transcoder/chunker.hpp"
#include "transcoder/decoder.hpp"
#include "transcoder/encoder_pool.hpp"
#include "transcoder/probe.hpp"
#include "transcoder/scaler.hpp"
#include "transcoder/thumbnails.hpp"
#include "transcoder/timeline.hpp"

namespace relay::transcoder {

class Pictures {
 public:
  struct Span {
    std::int64_t zero_ns = 0;            // source time of frame 0
    std::int64_t first_frame = 0;        // earlier ones are published already
    std::optional<std::int64_t> frames;  // exactly so many, when a copy of the source is published
    std::int64_t duration_max_ns = 0;
    bool with_sound = false;  // the picture is held to the end of a longer sound
  };
  Pictures(ProbedSource& source, Decoder decoder, const PicturePlan& plan, Scaler scaler,
           EncoderPool& pool, Timeline& timeline, Delivery& delivery, Span span,
           std::optional<Thumbnails> thumbnails);

  /// Returns when the last frame is queued, or after a stop.
  Result<void> run();
  std::int64_t frames() const { return next_; }
  const Decoder& decoder() const { return decoder_; }

 private:
  Result<bool> read(AVPacket& packet);
  Result<bool> skip_to_key(AVPacket& packet);
  Result<void> decode(AVPacket* packet);
  Result<void> filter(AVFrame* frame);
  Result<void> show(av::Frame frame);
  Result<void> emit_until(std::int64_t number);
  void note_captions(AVFrame& frame);
  void pass_captions();
  bool push(std::size_t rung);
  Result<void> scale(const std::vector<bool>& needed);
  Result<void> take_thumbnail();
  Result<void> end();
  void report(std::int64_t number);

  ProbedSource& source_;
  Decoder decoder_;
  PictureFilter filter_;
  Fraction rate_;
  Scaler scaler_;
  EncoderPool& pool_;
  Timeline& timeline_;
  Delivery& delivery_;
  Span span_;

  std::deque<av::Packet> group_;  // read ahead while looking for the key frame to begin at
  bool skipping_;
  std::int64_t next_;              // output frame to be emitted next
  av::Frame current_;              // the source picture that is shown now
  std::vector<av::Frame> scaled_;  // … in every size, once it was needed
  std::int64_t current_frame_ = 0, current_length_ = 1;
  SourceCaptions source_captions_;
  std::vector<CaptionQueue> captions_;  // of each rendition
  std::optional<Thumbnails> thumbnails_;
  std::int64_t previous_pts_ = INT64_MIN, step_ns_ = 0;
};

}  // namespace relay::transcoder
