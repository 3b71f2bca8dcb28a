// Tracks and segments of the pipeline become a presentation at the origin: init segments, media
// segments, playlists that only grow, and a multivariant playlist that gains renditions and in the
// end states what was measured.
//
// A rendition's playlist names a segment only after the segment itself was sent. The multivariant
// playlist appears with the first video rendition that has a segment, provided that every audio
// track opened so far has one too: so audio is opened before the first segment of any track.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/error.hpp"
#include "common/media/job.hpp"
#include "transcoder/publisher.hpp"
#include "transcoder/track.hpp"

namespace relay::transcoder {

/// EXT-X-TARGETDURATION of every rendition, constant. A segment lasts less than half a second
/// more (Apple 7.7; RFC 8216bis 4.4.3.1: rounded, it is not above).
inline constexpr int target_duration_s = 6;

/// One caller at a time, any thread. Errors are the publisher's, or internal when a segment breaks
/// the rules of track.hpp.
class Presentation : public Sink {
 public:
  /// `job.published` is where it goes on. The publisher outlives it.
  Presentation(Publisher& publisher, const media::Job& job);
  ~Presentation() override;

  AlreadyPublished published(const std::string& name) override;
  Result<void> open_track(const TrackSpec& track) override;
  Result<void> captions(CaptionChannels channels) override;
  Result<void> segment(Segment segment) override;
  Result<void> thumbnails(ThumbnailSheet sheet) override;
  Result<void> progress(double fraction, const std::string& stage) override;

  /// After the last segment: the multivariant playlist with final figures; everything answered.
  Result<void> finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay::transcoder
