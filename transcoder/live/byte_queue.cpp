#include "transcoder/live/byte_queue.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace relay::transcoder::live {

bool ByteQueue::push(std::string_view unit, std::int64_t arrival_us) {
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return true;
    if (bytes_ + unit.size() > bytes_max_) return false;
    bytes_ += unit.size();
    units_.push_back({std::string(unit), arrival_us});
  }
  changed_.notify_one();
  return true;
}

void ByteQueue::end() {
  std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_one();
}

void ByteQueue::stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  units_.clear();
  bytes_ = 0;
  changed_.notify_one();
}

bool ByteQueue::stopped() const {
  std::lock_guard lock(mutex_);
  return stopped_;
}

std::size_t ByteQueue::bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

// False: the end.
bool ByteQueue::wait(std::unique_lock<std::mutex>& lock) {
  changed_.wait(lock, [this] { return stopped_ || ended_ || !units_.empty(); });
  if (stopped_ || units_.empty()) return false;
  arrival_us_ = units_.front().arrival_us;
  return true;
}

int ByteQueue::read(std::uint8_t* into, int room) {
  std::unique_lock lock(mutex_);
  if (!wait(lock)) return 0;
  Unit& unit = units_.front();
  std::size_t count = std::min(static_cast<std::size_t>(room), unit.bytes.size() - taken_);
  std::memcpy(into, unit.bytes.data() + taken_, count);
  taken_ += count;
  bytes_ -= count;
  if (taken_ == unit.bytes.size()) {
    units_.pop_front();
    taken_ = 0;
  }
  return static_cast<int>(count);
}

std::string ByteQueue::take() {
  std::unique_lock lock(mutex_);
  if (!wait(lock)) return "";
  std::string bytes = std::move(units_.front().bytes);
  units_.pop_front();
  bytes_ -= bytes.size();
  return bytes;
}

}  // namespace relay::transcoder::live
