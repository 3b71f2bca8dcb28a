// The store thread's part that has to do with a window in memory: bodies that are there only, their
// way on into the store, or out.
#include <cstring>

#include "edge/cache/writer.hpp"

namespace relay::edge::cache {
namespace {

/// The same chunk, or a copy where much of it is empty.
ChunkPtr fitted(ChunkPtr chunk) {
  if (chunk->capacity - chunk->size <= chunk->size / 8) return chunk;
  auto copy = std::make_shared<Chunk>(chunk->size);
  std::memcpy(copy->data.get(), chunk->data.get(), chunk->size);
  copy->size = chunk->size;
  return copy;
}

}  // namespace

/// False: a removal overtook it.
bool Writer::enter_window(StoreJob& job, SteadyTime now) {
  std::shared_ptr<Body> body = make_body(job);
  body->in_memory = true;
  body->chunks = job.object.chunks;
  for (ChunkPtr& chunk : body->chunks) chunk = fitted(std::move(chunk));
  body->charge_bytes =
      charge_of(body->bytes, record_bytes(job.object.key.size(), job.object.head.size()));
  body->memory = holdings_.memory().take(job.object.memory_bytes());
  gauges_.memory_bytes.set(static_cast<std::int64_t>(holdings_.memory().used()));
  auto shown = std::make_shared<Object>(job.object.key, std::move(job.object.head), body);
  Pin old;
  {
    std::lock_guard guard(shared_.removal);
    if (job.dropped) return false;
    old = shared_.index.put(job.hash, std::move(shown));
  }
  holdings_.enter_window(std::move(body));
  std::vector<Pin> replaced;
  if (old) replaced.push_back(std::move(old));
  retire(std::move(replaced), now);
  return true;
}

void Writer::drain_window(std::uint64_t charge_bytes, std::uint64_t memory_bytes,
                          std::vector<Pending>& accepted, SteadyTime now) {
  // A window that shrank at once goes in several rounds.
  while (leaving_bytes_ < 2 * round_bytes_max) {
    auto body = holdings_.window_excess(charge_bytes, memory_bytes);
    if (!body) return;
    leave_window(body, accepted, now);
  }
}

/// On into the store, where it is found in the window until it is written; or out.
void Writer::leave_window(const std::shared_ptr<Body>& body, std::vector<Pending>& accepted,
                          SteadyTime now) {
  Pin shown = shared_.index.find(body->hash, body->id);
  if (!shown) return drop(*body, now);
  if (!holdings_.takes(*body)) {
    gauges_.failures_worth.add();
    return drop(*body, now);
  }
  Pending pending;
  pending.shown = std::move(shown);
  pending.incoming = make_incoming(pending);
  holdings_.retire(body->id, now);
  const Body& next = *pending.incoming.body;
  if (!holdings_.make_room(next.shelf(), next.charge_bytes, now)) {
    gauges_.failures_room.add();
    shared_.index.remove(body->hash, body->id);
    return;
  }
  leaving_bytes_ += body->bytes;
  accepted.push_back(std::move(pending));
}

void Writer::drop(const Body& body, SteadyTime now) {
  std::uint64_t id = body.id;
  shared_.index.remove(body.hash, id);
  holdings_.retire(id, now);
}

/// At a clean stop: what is worth it survives the restart.
void Writer::store_window() {
  std::vector<Pending> accepted;
  leaving_bytes_ = 0;
  while (auto body = holdings_.window_oldest()) {
    SteadyTime now = steady_now();
    leave_window(body, accepted, now);
    if (leaving_bytes_ < round_bytes_max && holdings_.window_oldest()) continue;
    holdings_.gather(now);
    if (!accepted.empty() && write(accepted, {}, now)) publish(accepted, now);
    accepted.clear();
    leaving_bytes_ = 0;
  }
}

/// The stored body takes the place of the one in memory. False: that was removed or replaced.
bool Writer::show_stored(Pending& pending) {
  const std::shared_ptr<Body>& body = pending.incoming.body;
  Pin before = pending.shown;
  while (before) {
    auto next = std::make_shared<Object>(before->key(), before->head(), body);
    // The number first: a purge noted after it is judged again, one noted before it is in the form.
    next->note_purges(before->purges_noted());
    next->keep_parsed(before->parsed());
    if (shared_.index.replace(body->hash, before, std::move(next))) {
      // Its head was renewed after the record was made.
      if (before != pending.shown) shared_.queue.push(HeadJob{body->hash, body->id});
      return true;
    }
    before = shared_.index.find(body->hash, pending.shown->id());
  }
  return false;
}

/// It left the window, or never was in it, and is not in the store.
void Writer::give_up(const Pending& pending) {
  if (pending.job) {
    shared_.queue.answer(*pending.job, false);
    return;
  }
  shared_.index.remove(pending.shown->body()->hash, pending.shown->id());
}

}  // namespace relay::edge::cache
