// How far picture and sound have come: lets each wait for the other, so that both end together and
// neither runs away. Counted in output frames of the presentation's full rate.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "transcoder/source_io.hpp"

namespace relay::transcoder {

/// Thread-safe: one thread makes pictures, one makes sound.
class Timeline {
 public:
  struct Mark {
    std::int64_t frames = 0;
    bool ended = false;
  };

  explicit Timeline(const StopSignal& stop) : stop_(stop) {}

  void picture_at(std::int64_t frames) { set(picture_, {frames, false}); }
  void picture_ends_at(std::int64_t frames) { set(picture_, {frames, true}); }
  void sound_at(std::int64_t frames) { set(sound_, {frames, false}); }
  void sound_ends_at(std::int64_t frames) { set(sound_, {frames, true}); }
  Mark picture() { return get(picture_); }

  /// Returns when the picture is past `frames` or at its end, or on a stop.
  Mark wait_for_picture(std::int64_t frames) { return wait(picture_, frames); }
  /// The same of the sound.
  Mark wait_for_sound(std::int64_t frames) { return wait(sound_, frames); }

 private:
  void set(Mark& mark, Mark value);
  Mark get(const Mark& mark);
  Mark wait(const Mark& mark, std::int64_t frames);

  const StopSignal& stop_;
  std::mutex mutex_;  // guards both marks
  std::condition_variable changed_;
  Mark picture_, sound_;
};

}  // namespace relay::transcoder
