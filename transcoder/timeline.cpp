#include "transcoder/timeline.hpp"

#include <chrono>

namespace relay::transcoder {

void Timeline::set(Mark& mark, Mark value) {
  {
    std::lock_guard lock(mutex_);
    if (!mark.ended) mark = value;
  }
  changed_.notify_all();
}

Timeline::Mark Timeline::get(const Mark& mark) {
  std::lock_guard lock(mutex_);
  return mark;
}

Timeline::Mark Timeline::wait(const Mark& mark, std::int64_t frames) {
  std::unique_lock lock(mutex_);
  while (!mark.ended && mark.frames <= frames && !stop_.stopped() && !stop_.late())
    changed_.wait_for(lock, std::chrono::milliseconds(100));  // a stop does not notify
  return mark;
}

}  // namespace relay::transcoder
