// The one door from the pipeline's threads to its sink: one call at a time, and after the first
// failure none.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "common/base/error.hpp"
#include "transcoder/source_io.hpp"
#include "transcoder/track.hpp"

namespace relay::transcoder {

/// Thread-safe. A failure raises the stop signal, so that every thread comes to its end.
class Delivery {
 public:
  Delivery(Sink& sink, StopSignal& stop) : sink_(sink), stop_(stop) {}

  AlreadyPublished published(const std::string& name);
  /// Gives the track its number and opens it.
  Result<int> open(TrackSpec track);
  void deliver(Segment segment);
  void thumbnails(ThumbnailSheet sheet);
  /// Channels that were told before are not told again.
  void captions(CaptionChannels channels);
  void progress(double fraction, const std::string& stage);

  /// Any thread's own failure; the first one counts.
  void fail_with(Error error);
  std::optional<Error> failure();

 private:
  void note(const Result<void>& outcome);

  std::mutex mutex_;  // guards all below, and makes the sink's calls follow one another
  Sink& sink_;
  StopSignal& stop_;
  int tracks_ = 0;
  double fraction_ = 0;
  CaptionChannels captions_;
  std::optional<Error> failure_;
};

}  // namespace relay::transcoder
