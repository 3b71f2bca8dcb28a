#include "edge/flight.hpp"

#include <algorithm>
#include <utility>

#include "common/base/check.hpp"
#include "common/base/limits.hpp"

namespace relay::edge {

Flight::Flight(std::string key, std::uint64_t purge_sequence, FlightMemory& memory)
    : key_(std::move(key)), purge_sequence_(purge_sequence), memory_(memory) {
}

Flight::~Flight() {
  memory_.give_back(counted_bytes_);
}

FlightView Flight::view() const {
  std::lock_guard lock(mutex_);
  return view_;
}

std::string_view Flight::bytes_at(std::uint64_t offset) const {
  std::lock_guard lock(mutex_);
  std::uint64_t readable = view_.received;
  bool judged = view_.state == FlightState::complete;
  if (!judged && view_.length)
    readable = std::min(readable, std::max<std::uint64_t>(*view_.length, 1) - 1);
  if (offset >= readable) return {};
  std::size_t index = offset / limits::chunk_bytes;
  std::size_t within = offset % limits::chunk_bytes;
  std::uint64_t end = std::min<std::uint64_t>(readable, (index + 1) * limits::chunk_bytes);
  return {chunks_[index]->data.get() + within, static_cast<std::size_t>(end - offset)};
}

void Flight::offer(Beginning beginning) {
  std::lock_guard lock(mutex_);
  if (!offer_ || offer_->bytes < beginning.bytes) offer_ = std::move(beginning);
}

std::optional<Beginning> Flight::take_offer(std::uint64_t gain_min) {
  std::lock_guard lock(mutex_);
  if (!offer_ || offer_->bytes < view_.received + gain_min) return std::nullopt;
  return std::exchange(offer_, std::nullopt);
}

/// Under the lock.
void Flight::know_head(StoredPtr stored, std::string stored_key, std::string upstream_trail,
                       http::Headers own_fields) {
  view_.upstream_status = stored->status;
  view_.stored = std::move(stored);
  view_.stored_key = std::move(stored_key);
  view_.upstream_trail = std::move(upstream_trail);
  if (own_fields.fields().empty()) return;
  view_.own_fields = std::make_shared<const http::Headers>(std::move(own_fields));
}

void Flight::reserve(std::uint64_t bytes) {
  std::lock_guard lock(mutex_);
  count(bytes);
}

void Flight::begin_body(StoredPtr stored, std::string stored_key, std::string upstream_trail,
                        std::optional<std::uint64_t> length, http::Headers own_fields) {
  {
    std::lock_guard lock(mutex_);
    know_head(std::move(stored), std::move(stored_key), std::move(upstream_trail),
              std::move(own_fields));
    view_.length = length;
    if (length && *length > counted_bytes_) count(*length - counted_bytes_);
  }
  settle(FlightState::streaming);
}

void Flight::know_length(std::uint64_t length) {
  std::lock_guard lock(mutex_);
  view_.length = length;
  if (length > counted_bytes_) count(length - counted_bytes_);
}

std::span<char> Flight::room() {
  std::lock_guard lock(mutex_);
  if (chunks_.empty() || chunks_.back()->size == chunks_.back()->capacity) {
    // A body of known length gets a last chunk no larger than it needs.
    std::uint64_t left = view_.length ? *view_.length - view_.received : limits::chunk_bytes;
    std::size_t capacity =
        std::min<std::uint64_t>(limits::chunk_bytes, std::max<std::uint64_t>(left, 1));
    chunks_.push_back(std::make_shared<cache::Chunk>(capacity));
    if (!view_.length) count(capacity);
  }
  cache::Chunk& chunk = *chunks_.back();
  return {chunk.data.get() + chunk.size, chunk.capacity - chunk.size};
}

/// Under the lock.
void Flight::count(std::uint64_t bytes) {
  counted_bytes_ += bytes;
  memory_.add(bytes);
}

void Flight::promise(http::ShaCheck promised) {
  promised_.emplace(std::move(promised));
}

bool Flight::keeps_promise() {
  return !promised_ || promised_->holds();
}

void Flight::append(std::size_t bytes) {
  // Slow enough to keep readers from waiting for it; nobody else changes the list of chunks.
  const cache::Chunk& last = *chunks_.back();
  if (promised_) promised_->update({last.data.get() + last.size, bytes});
  {
    std::lock_guard lock(mutex_);
    cache::Chunk& chunk = *chunks_.back();
    RELAY_CHECK(chunk.size + bytes <= chunk.capacity);
    digest_.update({chunk.data.get() + chunk.size, bytes});
    chunk.size += bytes;
    view_.received += bytes;
  }
  changed_.notify();
}

Digest128 Flight::digest() const {
  return digest_.digest();
}

std::vector<cache::ChunkPtr> Flight::chunks() const {
  std::lock_guard lock(mutex_);
  return chunks_;
}

void Flight::settle(FlightState state) {
  {
    std::lock_guard lock(mutex_);
    view_.state = state;
    if (state == FlightState::complete) view_.length = view_.received;
  }
  changed_.notify();
}

void Flight::complete() {
  settle(FlightState::complete);
}
void Flight::uncacheable() {
  settle(FlightState::uncacheable);
}

void Flight::slice(StoredPtr stored, std::string stored_key, std::string upstream_trail,
                   http::Headers own_fields) {
  {
    std::lock_guard lock(mutex_);
    know_head(std::move(stored), std::move(stored_key), std::move(upstream_trail),
              std::move(own_fields));
  }
  settle(FlightState::sliced);
}

void Flight::confirm(cache::Pin object, StoredPtr stored, std::string upstream_trail) {
  {
    std::lock_guard lock(mutex_);
    view_.object = std::move(object);
    view_.upstream_status = 304;
    view_.stored = std::move(stored);
    view_.upstream_trail = std::move(upstream_trail);
  }
  settle(FlightState::confirmed);
}

void Flight::fail(Error error) {
  {
    std::lock_guard lock(mutex_);
    view_.error = std::move(error);
  }
  settle(FlightState::failed);
}

void Flight::find(cache::Pin object) {
  {
    std::lock_guard lock(mutex_);
    view_.object = std::move(object);
  }
  settle(FlightState::found);
}

Error too_many_wait() {
  return {ErrorKind::unavailable, ErrorSource::internal, true, "too many wait for this"};
}

FlightTable::Joined FlightTable::join(const std::string& key, std::uint64_t purge_sequence,
                                      FlightMemory& memory) {
  Shard& shard = shard_of(key);
  std::lock_guard lock(shard.mutex);
  auto& flight = shard.flights[key];
  bool leader = !flight;
  if (!leader && static_cast<std::size_t>(flight.use_count()) > limits::waiters_max) return {};
  if (leader) flight = std::make_shared<Flight>(key, purge_sequence, memory);
  return {flight, leader};
}

std::shared_ptr<Flight> FlightTable::find(const std::string& key) const {
  const Shard& shard = shard_of(key);
  std::lock_guard lock(shard.mutex);
  auto at = shard.flights.find(key);
  return at == shard.flights.end() ? nullptr : at->second;
}

void FlightTable::leave(const Flight& flight) {
  Shard& shard = shard_of(flight.key());
  std::lock_guard lock(shard.mutex);
  auto at = shard.flights.find(flight.key());
  if (at != shard.flights.end() && at->second.get() == &flight) shard.flights.erase(at);
}

void FlightTable::disown_if(const std::function<bool(const Flight&)>& matches) {
  for (Shard& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    std::erase_if(shard.flights, [&](auto& entry) {
      if (!matches(*entry.second)) return false;
      entry.second->disown();
      return true;
    });
  }
}

std::optional<std::uint64_t> FlightTable::oldest_begun() const {
  std::optional<std::uint64_t> oldest;
  for (const Shard& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    for (const auto& [key, flight] : shard.flights) {
      oldest = std::min(oldest.value_or(flight->purge_sequence()), flight->purge_sequence());
    }
  }
  return oldest;
}

void FlightTable::remember_unshared(std::string_view key, WallTime until) {
  Shard& shard = shard_of(key);
  std::lock_guard lock(shard.mutex);
  if (shard.unshared.size() >= unshared_max) {
    WallTime now = wall_now();
    std::erase_if(shard.unshared, [&](const auto& each) { return each.second <= now; });
  }
  if (shard.unshared.size() >= unshared_max) shard.unshared.clear();
  shard.unshared[hash64(key, 1)] = until;
}

bool FlightTable::unshared(std::string_view key, WallTime now) {
  Shard& shard = shard_of(key);
  std::lock_guard lock(shard.mutex);
  auto at = shard.unshared.find(hash64(key, 1));
  if (at == shard.unshared.end()) return false;
  if (at->second > now) return true;
  shard.unshared.erase(at);
  return false;
}

void FlightTable::forget_unshared(std::string_view key) {
  Shard& shard = shard_of(key);
  std::lock_guard lock(shard.mutex);
  shard.unshared.erase(hash64(key, 1));
}

std::size_t FlightTable::size() const {
  std::size_t n = 0;
  for (const Shard& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    n += shard.flights.size();
  }
  return n;
}

}  // namespace relay::edge
