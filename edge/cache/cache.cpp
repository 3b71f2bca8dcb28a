#include "edge/cache/cache.hpp"

#include <algorithm>
#include <future>

#include "common/base/log.hpp"
#include "edge/cache/stop_marker.hpp"
#include "edge/cache/writer.hpp"

namespace relay::edge::cache {
namespace {

constexpr std::uint64_t queue_bytes_max = 64 << 20;

}  // namespace

struct Cache::Impl {
  Impl(const CacheOptions& options, Metrics& metrics, const std::shared_ptr<Volume>& volume,
       const LastStop& last)
      : folder(options.path),
        gauges(metrics),
        last(last),
        shared(std::min(queue_bytes_max, options.size_bytes / 4), volume, last),
        writer(std::in_place, volume, shared, gauges, options) {}

  Pin look(const Digest128& hash, std::string_view key) {
    Pin pin = shared.index.find(hash, key);
    return pin || shared.backlog.whole() ? pin : shared.backlog.take(hash, key);
  }

  /// Out of the index already; the store thread erases and frees.
  void bury(Pin pin, std::function<void()> durable) {
    RemoveJob job;
    if (pin) job.removed.push_back(std::move(pin));
    job.durable = std::move(durable);
    shared.queue.push(std::move(job));
  }

  /// A body that does not match its digest must not be there after a restart.
  void drop_bad() {
    std::vector<Pin> bad;
    shared.index.visit([&](const Pin& pin) {
      if (pin->known_bad()) bad.push_back(pin);
      return true;
    });
    for (Pin& pin : bad) bury(shared.index.remove(digest128(pin->key()), pin->id()), nullptr);
  }

  /// Ids below are trusted only once they were verified. After the store thread has stopped.
  std::uint64_t trusted_from_id() const {
    bool all = true;
    shared.index.visit([&](const Pin& pin) { return all = pin->known_good(); });
    if (all) return 0;
    return last.trust == Trust::good ? last.trusted_from_id : writer->first_id();
  }

  const std::filesystem::path folder;
  Gauges gauges;
  const LastStop last;
  Shared shared;
  std::optional<Writer> writer;
};

Cache::Cache(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {
}

Cache::~Cache() {
  impl_->drop_bad();
  bool clean = impl_->writer->stop();
  if (!clean) return;  // the marker still says "running": everything is verified again
  auto marked = mark_clean(impl_->folder, impl_->trusted_from_id());
  if (!marked) log::warn("cache stop not marked", {kv("why", marked.error().message)});
}

Result<std::unique_ptr<Cache>> Cache::open(const CacheOptions& options, Metrics& metrics) {
  if (options.size_bytes < cache_bytes_min) return bad_input("a cache takes at least 4 MiB");
  auto made = store::make_folders(options.path);
  if (!made) return std::unexpected(made.error());
  auto last = read_marker(options.path);
  if (!last) return std::unexpected(last.error());
  auto volume = Volume::open(options.path, options.size_bytes, last->trust == Trust::discard);
  if (!volume) return std::unexpected(volume.error());
  // Only now: until what cannot be trusted is gone, the old marker has to stand.
  auto marked = mark_running(options.path);
  if (!marked) return std::unexpected(marked.error());
  return std::unique_ptr<Cache>(
      new Cache(std::make_unique<Impl>(options, metrics, *volume, *last)));
}

Pin Cache::find(std::string_view key) {
  Digest128 hash = digest128(key);
  Pin pin = impl_->look(hash, key);
  if (!pin) return nullptr;
  if (pin->known_bad()) {
    // As all removals: before another of its key is shown, the store thread knows of this one.
    std::lock_guard guard(impl_->shared.removal);
    impl_->bury(impl_->shared.index.remove(hash, pin->id()), nullptr);
    return nullptr;
  }
  impl_->shared.uses.report(pin->id());
  return pin;
}

Pin Cache::peek(std::string_view key) const {
  return impl_->look(digest128(key), key);
}

void Cache::store(NewObject object, std::function<void(bool)> done) {
  Digest128 hash = digest128(object.key);
  impl_->shared.queue.push_store(hash, std::move(object), std::move(done));
}

void Cache::revalue(const std::vector<std::string>& keys, double value) {
  ValueJob job{{}, value};
  for (const std::string& key : keys) job.hashes.push_back(digest128(key));
  impl_->shared.queue.push(std::move(job));
}

void Cache::update_head(const Pin& old, std::string head) {
  Digest128 hash = digest128(old->key());
  // The same object may have gone from the window into the store meanwhile, as it was.
  for (Pin now = old; now && now->head() == old->head();
       now = impl_->shared.index.find(hash, old->id())) {
    auto next = std::make_shared<Object>(now->key(), head, now->body());
    if (!impl_->shared.index.replace(hash, now, std::move(next))) continue;
    impl_->shared.queue.push(HeadJob{hash, old->id()});
    return;
  }
}

void Cache::remove(std::string_view key, std::function<void()> durable) {
  std::lock_guard guard(impl_->shared.removal);
  Digest128 hash = digest128(key);
  impl_->shared.queue.drop([&](std::string_view other) { return other == key; });
  impl_->shared.backlog.remove(hash);
  impl_->bury(impl_->shared.index.remove(hash, key), std::move(durable));
}

void Cache::remove(const Pin& object) {
  std::lock_guard guard(impl_->shared.removal);
  impl_->bury(impl_->shared.index.remove(digest128(object->key()), object->id()), nullptr);
}

Pin Cache::take(const Digest128& hash) {
  Shared& shared = impl_->shared;
  std::lock_guard guard(shared.removal);
  auto is_it = [&](std::string_view key) { return digest128(key) == hash; };
  if (shared.queue.stores(hash)) shared.queue.drop(is_it);
  shared.backlog.remove(hash);
  Pin pin = shared.index.find(hash);
  if (pin) impl_->bury(shared.index.remove(hash, pin->id()), nullptr);
  return pin;
}

std::size_t Cache::remove_if(std::function<bool(std::string_view)> matches,
                             std::function<void()> durable) {
  std::lock_guard guard(impl_->shared.removal);
  impl_->shared.queue.drop(matches);
  impl_->shared.backlog.remove_if(matches);
  RemoveJob job{impl_->shared.index.remove_if(matches), std::move(durable)};
  std::size_t count = job.removed.size();
  impl_->shared.queue.push(std::move(job));
  return count;
}

bool Cache::is_storing(std::string_view key) const {
  return impl_->shared.queue.stores(digest128(key));
}

void Cache::when_answered(std::function<void()> answered) {
  impl_->shared.queue.push(WaitJob{std::move(answered)});
}

bool Cache::has(std::string_view key) const {
  return impl_->look(digest128(key), key) != nullptr;
}

bool Cache::failing() const {
  return impl_->shared.failing.load(std::memory_order_relaxed);
}

CacheStats Cache::stats() const {
  const Gauges& gauges = impl_->gauges;
  auto of = [](const Gauge& gauge) { return static_cast<std::uint64_t>(gauge.value()); };
  return {.reading = gauges.reading.value() != 0,
          .objects = of(gauges.objects),
          .body_bytes = of(gauges.body_bytes),
          .stored_bytes = of(gauges.stored_bytes),
          .size_bytes = of(gauges.size_bytes),
          .graveyard_bytes = of(gauges.graveyard_bytes),
          .evictions = gauges.evictions.value(),
          .store_failures = gauges.failures(),
          .memory_bytes = of(gauges.memory_bytes),
          .walked = impl_->shared.index.walked()};
}

void Cache::wait_until_whole() const {
  impl_->shared.backlog.wait_until_whole();
}

void Cache::wait_until_answered() {
  std::promise<void> answered;
  when_answered([&] { answered.set_value(); });
  answered.get_future().wait();
}

std::size_t Cache::size() const {
  const Backlog& backlog = impl_->shared.backlog;
  return backlog.whole() ? impl_->shared.index.size() : backlog.records();
}

std::vector<Pin> Cache::part(std::size_t number) const {
  static_assert(parts == Index::shard_count);
  wait_until_whole();
  return impl_->shared.index.objects_of(number);
}

std::shared_ptr<const policy::Forecast> Cache::forecast() const {
  return impl_->shared.forecast.load();
}

void Cache::visit(std::size_t most, const std::function<void(const Object&)>& see) const {
  if (most == 0) return;
  impl_->shared.index.visit([&](const Pin& pin) {
    see(*pin);
    return --most > 0;
  });
}

}  // namespace relay::edge::cache
