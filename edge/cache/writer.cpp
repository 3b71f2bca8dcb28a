#include "edge/cache/writer.hpp"

#include <algorithm>
#include <chrono>

#include "common/base/log.hpp"

namespace relay::edge::cache {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds tick_least = 20ms;  // while uses are being reported
constexpr std::chrono::milliseconds tick_most = 320ms;  // while nothing happens
constexpr std::chrono::seconds complaint_interval = 10s;
// A disk that stays full whatever goes must not cost the whole cache.
constexpr std::chrono::seconds futile_eviction_interval = 60s;
constexpr std::chrono::seconds forecast_interval = 1s;

/// Whether the chunks are what the object says: all full but the last, and the digest right.
bool is_whole(const NewObject& object) {
  std::uint64_t left = object.body_bytes;
  DigestStream stream;
  for (const ChunkPtr& chunk : object.chunks) {
    if (!chunk || chunk->size == 0) return false;
    if (chunk->size != std::min<std::uint64_t>(left, limits::chunk_bytes)) return false;
    stream.update(chunk->view());
    left -= chunk->size;
  }
  return left == 0 && stream.digest() == object.digest;
}

Record record_of(const Body& body, std::string key, std::string head) {
  return Record{body.id, body.bytes, body.digest, body.value, std::move(key), std::move(head)};
}

}  // namespace

Writer::Writer(std::shared_ptr<Volume> volume, Shared& shared, Gauges gauges,
               const CacheOptions& options)
    : volume_(std::move(volume)),
      shared_(shared),
      gauges_(gauges),
      holdings_(options, shared.index),
      folder_(options.path),
      round_bytes_(options.memory_bytes > 0 ? window_reserve_bytes(options.memory_bytes)
                                            : round_bytes_max),
      syncer_(volume_) {
  gauges_.size_bytes.set(static_cast<std::int64_t>(options.size_bytes));
  show();
  show_backlog();
  thread_ = std::thread([this] { run(); });
}

Writer::~Writer() {
  stop();
}

bool Writer::stop() {
  if (!thread_.joinable()) return false;
  shared_.queue.stop();
  thread_.join();
  round({});  // what the last jobs doomed
  store_window();
  bool clean = !given_up_ && !holdings_.has_doomed() && awaiting_durable_.empty();
  for (ShelfName name : {ShelfName::large, ShelfName::medium, ShelfName::small}) {
    clean &= volume_->shelf(name).env().sync().has_value();
  }
  return clean;
}

void Writer::run() {
  read_backlog();
  auto tick = tick_least;
  while (!shared_.queue.stopped()) {
    const auto& jobs = shared_.queue.take(round_bytes_, tick);
    auto use = [&](std::uint64_t id, double weight) { holdings_.use(id, weight); };
    bool used = shared_.uses.drain(use) > 0;
    tick = used || !jobs.empty() ? tick_least : std::min(tick * 2, tick_most);
    given_up_ ? refuse(jobs) : round(jobs);
    shared_.queue.release();
  }
}

void Writer::round(const std::vector<std::unique_ptr<Job>>& jobs) {
  SteadyTime now = steady_now();
  take_removals(jobs, now);
  holdings_.gather(now);
  auto accepted = accept(jobs, now);
  auto heads = current_heads(jobs);
  if (!accepted.empty() || !heads.empty() || anything_to_write()) {
    bool written = write(accepted, heads, now);
    if (written) publish(accepted, now);
    // That something could be erased does not say that anything can be stored.
    if (!written || !accepted.empty()) {
      shared_.failing.store(!written, std::memory_order_relaxed);
    }
  }
  take_values(jobs);  // after what was stored before them
  make_durable();
  show();
  for (const Pending& each : accepted) {
    if (each.job) shared_.queue.answer(*each.job, each.stored);
  }
  for (const auto& job : jobs) {
    if (auto* wait = std::get_if<WaitJob>(job.get())) wait->answered();
  }
}

bool Writer::anything_to_write() const {
  return holdings_.has_doomed() || std::ranges::any_of(all_shelves, [&](ShelfName name) {
           return !holdings_.freeing(name).empty();
         });
}

void Writer::take_removals(const std::vector<std::unique_ptr<Job>>& jobs, SteadyTime now) {
  for (const auto& job : jobs) {
    auto* removal = std::get_if<RemoveJob>(job.get());
    if (!removal) continue;
    for (Pin& pin : removal->removed) {
      std::uint64_t id = pin->id();
      pin.reset();
      holdings_.retire(id, now);
    }
    if (removal->durable) awaiting_durable_.push_back(std::move(removal->durable));
  }
}

void Writer::take_values(const std::vector<std::unique_ptr<Job>>& jobs) {
  for (const auto& job : jobs) {
    const auto* values = std::get_if<ValueJob>(job.get());
    if (!values) continue;
    for (const Digest128& hash : values->hashes) {
      if (Pin pin = shared_.index.find(hash)) holdings_.revalue(pin->id(), values->value);
    }
  }
}

std::vector<Writer::Pending> Writer::accept(const std::vector<std::unique_ptr<Job>>& jobs,
                                            SteadyTime now) {
  std::vector<Pending> accepted;
  leaving_bytes_ = 0;
  for (const auto& job : jobs) {
    auto* store = std::get_if<StoreJob>(job.get());
    if (store && !accept_one(*store, accepted, now)) shared_.queue.answer(*store, false);
  }
  drain_window(0, 0, accepted, now);
  // Of two bodies of one key the newer one's header is put, and shown, last.
  std::ranges::sort(accepted, {}, [](const Pending& each) { return each.incoming.body->arrival; });
  return accepted;
}

bool Writer::accept_one(StoreJob& job, std::vector<Pending>& accepted, SteadyTime now) {
  if (job.dropped) return false;
  job.arrival = ++arrivals_;
  const NewObject& object = job.object;
  std::uint64_t charge =
      charge_of(object.body_bytes, record_bytes(object.key.size(), object.head.size()));
  if (job.refused) {
    if (!object.awaited) holdings_.miss(job.hash, object.body_bytes, charge);
    gauges_.failures_queue.add();
    return false;
  }
  if (!is_whole(object)) {
    gauges_.failures_damage.add();
    return false;
  }
  // What is awaited was not asked for yet; its use will be told when it is.
  if (!object.awaited) holdings_.miss(job.hash, object.body_bytes, charge);
  std::uint64_t memory = object.memory_bytes();
  bool passes = holdings_.may_enter_window(charge);
  if (passes) drain_window(charge, memory, accepted, now);
  if (!passes || !holdings_.has_memory(memory)) return judge(job, accepted, now);
  if (!enter_window(job, now)) return false;
  shared_.queue.answer(job, true);
  return true;
}

/// A body that the window has no room for.
bool Writer::judge(StoreJob& job, std::vector<Pending>& accepted, SteadyTime now) {
  Pending pending;
  pending.job = &job;
  pending.incoming = make_incoming(pending);
  const Body& body = *pending.incoming.body;
  if (!job.object.awaited && !holdings_.takes(body)) {
    gauges_.failures_worth.add();
    return false;
  }
  if (!holdings_.make_room(body.shelf(), body.charge_bytes, now)) {
    gauges_.failures_room.add();
    return false;
  }
  accepted.push_back(std::move(pending));
  return true;
}

std::shared_ptr<Body> Writer::make_body(const StoreJob& job) {
  auto body = std::make_shared<Body>();
  body->id = next_id_++;
  body->arrival = job.arrival;
  body->hash = job.hash;
  body->bytes = job.object.body_bytes;
  body->digest = job.object.digest;
  body->value = job.object.value;
  return body;
}

Incoming Writer::make_incoming(const Pending& pending) {
  std::shared_ptr<Body> body;
  if (pending.shown) {
    const Body& from = *pending.shown->body();
    body = std::make_shared<Body>();
    body->id = from.id;  // so that whoever holds the old object can still name it
    body->arrival = from.arrival;
    body->hash = from.hash;
    body->bytes = from.bytes;
    body->digest = from.digest;
    body->value = from.value;
  } else {
    body = make_body(*pending.job);
  }
  body->volume = volume_;
  const std::string& key = pending.shown ? pending.shown->key() : pending.job->object.key;
  const std::string& head = pending.shown ? pending.shown->head() : pending.job->object.head;
  std::string record = encode(record_of(*body, key, head));
  body->charge_bytes = charge_of(body->bytes, record.size());
  const auto& chunks = pending.shown ? pending.shown->body()->chunks : pending.job->object.chunks;
  return {std::move(body), &chunks, std::move(record)};
}

std::vector<NewHead> Writer::current_heads(const std::vector<std::unique_ptr<Job>>& jobs) const {
  std::vector<NewHead> heads;
  for (const auto& job : jobs) {
    const auto* head = std::get_if<HeadJob>(job.get());
    Pin pin = head ? shared_.index.find(head->hash, head->id) : nullptr;
    if (!pin || pin->in_memory()) continue;  // the window's heads are written with their bodies
    heads.push_back(
        {{head->id, head->hash}, encode(record_of(*pin->body(), pin->key(), pin->head()))});
  }
  return heads;
}

bool Writer::write(std::vector<Pending>& accepted, const std::vector<NewHead>& heads,
                   SteadyTime now) {
  std::uint64_t bytes = 0;
  for (const Pending& each : accepted) bytes += each.incoming.body->charge_bytes;
  auto written = write_once(accepted, heads, now);
  if (written) return true;
  bool full = written.error().kind == ErrorKind::no_space;
  if (full && !accepted.empty() && now >= evict_again_) {
    // LMDB uses the pages freed by one transaction from the second after it on: evict in two.
    std::vector<Pending> none;
    for (int i = 0; i < 2; ++i) {
      holdings_.evict_more(bytes, now);
      written = write_once(none, {}, now);
    }
    if (written) {
      // Without the heads: their objects may have been evicted just now.
      renew(accepted, now);
      written = write_once(accepted, {}, now);
    }
    if (written) return true;
    evict_again_ = now + futile_eviction_interval;
  }
  complain(written.error());
  reopen(now);
  gauges_.failures_disk.add(accepted.size());
  for (const Pending& each : accepted) {
    if (each.shown) give_up(each);
  }
  return false;
}

/// After an error the bodies of this round are given back or abandoned (and `accepted` no longer
/// has them): whatever was written of them is erased later.
Result<void> Writer::write_once(std::vector<Pending>& accepted, const std::vector<NewHead>& heads,
                                SteadyTime now) {
  std::vector<Incoming> incoming;
  for (Pending& each : accepted) incoming.push_back(std::move(each.incoming));
  SteadyTime begin = steady_now();
  auto freed = free_round(*volume_, holdings_, now);
  auto commits = freed ? write_round(*volume_, holdings_, {incoming, heads}) : freed;
  gauges_.commit_seconds.observe(std::chrono::duration<double>(steady_now() - begin).count());
  unsynced_ = true;
  syncer_.note_commit();
  if (commits) {
    gauges_.commits.add(*freed + *commits);
    for (std::size_t i = 0; i < accepted.size(); ++i) {
      accepted[i].incoming = std::move(incoming[i]);
    }
    return {};
  }
  for (Incoming& each : incoming) {
    if (freed) {
      holdings_.abandon(std::move(each.body), now);
    } else {
      holdings_.give_back(*each.body);
    }
  }
  return std::unexpected(commits.error());
}

/// New ids and room for a second try. What no longer fits is refused.
void Writer::renew(std::vector<Pending>& accepted, SteadyTime now) {
  std::erase_if(accepted, [&](Pending& each) {
    if (each.shown) {  // its id was used up by the first try
      gauges_.failures_room.add();
      give_up(each);
      return true;
    }
    each.incoming = make_incoming(each);
    const Body& body = *each.incoming.body;
    if (holdings_.make_room(body.shelf(), body.charge_bytes, now)) return false;
    gauges_.failures_room.add();
    give_up(each);
    return true;
  });
}

void Writer::publish(std::vector<Pending>& accepted, SteadyTime now) {
  std::vector<Pin> replaced;
  {
    std::lock_guard guard(shared_.removal);
    for (Pending& each : accepted) {
      if (each.shown) {
        each.stored = show_stored(each);
        continue;
      }
      if (each.job->dropped || is_overtaken(*each.incoming.body)) continue;
      NewObject& object = each.job->object;
      auto shown = std::make_shared<Object>(object.key, std::move(object.head), each.incoming.body);
      Pin old = shared_.index.put(each.job->hash, std::move(shown));
      if (old) replaced.push_back(std::move(old));
      each.stored = true;
    }
  }
  // Before one that replaced them may have to leave again: its header may not be erased first.
  retire(std::move(replaced), now);
  for (Pending& each : accepted) {
    if (each.stored) {
      holdings_.hold(std::move(each.incoming.body), now);
    } else {
      holdings_.abandon(std::move(each.incoming.body), now);
    }
  }
}

/// A newer body of the same key passed it by way of the window. (Ids do not tell: a second try has
/// a new one.)
bool Writer::is_overtaken(const Body& body) const {
  Pin shown = shared_.index.find(body.hash);
  return shown && shown->body()->arrival > body.arrival;
}

void Writer::retire(std::vector<Pin> replaced, SteadyTime now) {
  for (Pin& pin : replaced) {
    std::uint64_t id = pin->id();
    pin.reset();
    holdings_.retire(id, now);
  }
}

void Writer::make_durable() {
  if (awaiting_durable_.empty() || holdings_.has_doomed()) return;
  if (unsynced_) {
    auto synced = volume_->headers().sync();
    if (!synced) return complain(synced.error());
    unsynced_ = false;
  }
  for (auto& durable : std::exchange(awaiting_durable_, {})) durable();
}

void Writer::complain(const Error& error) {
  SteadyTime now = steady_now();
  if (last_complaint_ != SteadyTime{} && now - last_complaint_ < complaint_interval) return;
  last_complaint_ = now;
  log::error("cache cannot write", {kv("why", error.message)});
}

void Writer::show() {
  auto set = [](Gauge& gauge, std::uint64_t value) { gauge.set(static_cast<std::int64_t>(value)); };
  set(gauges_.objects, holdings_.objects());
  set(gauges_.body_bytes, holdings_.body_bytes());
  set(gauges_.stored_bytes, holdings_.budget().live());
  set(gauges_.graveyard_bytes, holdings_.budget().buried());
  set(gauges_.memory_bytes, holdings_.memory().used());
  if (SteadyTime now = steady_now(); now >= forecast_at_) {
    forecast_at_ = now + forecast_interval;
    shared_.forecast.store(std::make_shared<const policy::Forecast>(holdings_.tuner().forecast()));
  }
  gauges_.evictions.add(holdings_.evictions() -
                        std::exchange(evictions_shown_, holdings_.evictions()));
}

}  // namespace relay::edge::cache
