#include "edge/cache/backlog.hpp"

#include <algorithm>
#include <utility>

#include "common/store/mapped_read.hpp"

namespace relay::edge::cache {

Backlog::Backlog(std::shared_ptr<Volume> volume, const LastStop& last, Index& index, SteadyTime now)
    : volume_(std::move(volume)), last_(last), opened_at_(now), index_(index) {
  list();
  auto txn = volume_->headers().read();
  if (!txn) return;
  stored_bytes_ = txn->bytes(volume_->objects).value_or(0);
  for (Shelf& shelf : volume_->shelves) {
    auto bodies = shelf.env().read();
    if (bodies) stored_bytes_ += bodies->bytes(shelf.bodies()).value_or(0);
  }
}

/// Only the keys are read, from pages that the check at open has just been through.
void Backlog::list() {
  store::Env& env = volume_->headers();
  if (auto txn = env.read()) waiting_.reserve(txn->entries(volume_->objects).value_or(0));
  listed_ = store::walk(env, volume_->objects, [&](std::string_view key, std::string_view) {
    if (auto name = parse_header_key(key)) waiting_.push_back(*name);
  });
  std::ranges::sort(waiting_, [](const HeaderName& a, const HeaderName& b) {
    return a.hash != b.hash ? a.hash < b.hash : a.id > b.id;
  });
  auto end = waiting_.begin();
  for (const HeaderName& each : waiting_) {
    if (end != waiting_.begin() && std::prev(end)->hash == each.hash) {
      replaced_.push_back(each.id);
    } else {
      *end++ = each;
    }
  }
  waiting_.erase(end, waiting_.end());
  std::ranges::sort(replaced_);
  records_ = waiting_.size();
}

void Backlog::wait_until_whole() const {
  std::unique_lock guard(lock_);
  finished_.wait(guard, [&] { return whole(); });
}

/// Of the object of this hash, when there is one that has not had its turn.
std::optional<std::uint64_t> Backlog::waiting_id(const Digest128& hash) const {
  if (whole() || early_.contains(hash)) return std::nullopt;
  auto found = std::ranges::lower_bound(waiting_, hash, {}, &HeaderName::hash);
  if (found == waiting_.end() || found->hash != hash || found->id <= passed_) return std::nullopt;
  return found->id;
}

bool Backlog::is_removed(std::string_view key) const {
  return std::ranges::any_of(removals_, [&](const auto& matches) { return matches(key); });
}

// Read without the lock: another may be read meanwhile, and the store thread goes on.
Pin Backlog::take(const Digest128& hash, std::string_view key) {
  std::optional<std::uint64_t> id;
  {
    std::lock_guard guard(lock_);
    id = waiting_id(hash);
    if (!id) return index_.find(hash, key);
    ++readers_;
  }
  auto revived = read({*id, hash});
  std::lock_guard guard(lock_);
  if (--readers_ == 0) finished_.notify_all();
  if (!revived || revived->object->key() != key) return nullptr;
  if (waiting_id(hash) && !is_removed(key)) {
    early_.emplace(hash, std::move(revived->body));
    index_.put(hash, std::move(revived->object));
  }
  return index_.find(hash, key);
}

void Backlog::remove(const Digest128& hash) {
  if (whole()) return;
  std::lock_guard guard(lock_);
  if (waiting_id(hash)) early_.emplace(hash, nullptr);
}

void Backlog::remove_if(std::function<bool(std::string_view)> matches) {
  if (whole()) return;
  std::lock_guard guard(lock_);
  if (!whole()) removals_.push_back(std::move(matches));
}

std::optional<Revived> Backlog::read(const HeaderName& name) const {
  auto txn = volume_->headers().read();
  if (!txn) return std::nullopt;
  auto value = txn->get(volume_->objects, view(header_key(name)));
  if (!value || !*value || !store::touch_mapped(**value)) return std::nullopt;
  auto record = decode(**value);
  if (!record || !is_of(*record, name)) return std::nullopt;
  const Shelf& shelf = volume_->shelf(shelf_of(record->body_bytes));
  auto offsets = shelf.locate(record->id, record->body_bytes);
  if (!offsets) return std::nullopt;
  return revive(name.hash, std::move(*record), (*value)->size(), std::move(*offsets));
}

std::shared_ptr<Body> Backlog::make_body(std::uint64_t id, std::uint64_t bytes) const {
  auto body = std::make_shared<Body>();
  body->id = id;
  body->bytes = bytes;
  body->volume = volume_;
  body->last_sendfile = opened_at_.time_since_epoch().count();
  return body;
}

Revived Backlog::revive(const Digest128& hash, Record record, std::size_t record_bytes,
                        std::vector<std::uint64_t> offsets) const {
  auto body = make_body(record.id, record.body_bytes);
  body->hash = hash;
  body->digest = record.digest;
  body->value = record.value;
  body->charge_bytes = charge_of(record.body_bytes, record_bytes);
  body->offsets = std::move(offsets);
  bool trusted = last_.trust == Trust::good && body->id >= last_.trusted_from_id;
  body->knowledge = trusted || body->bytes == 0 ? Knowledge::good : Knowledge::unverified;
  auto object = std::make_shared<Object>(std::move(record.key), std::move(record.head), body);
  return {std::move(object), std::move(body)};
}

Backlog::Turn Backlog::turn_of(const Digest128& hash, Revived revived) {
  std::lock_guard guard(lock_);
  passed_ = revived.body->id;
  if (auto early = early_.find(hash); early != early_.end()) {
    if (early->second) return {early->second, false};
    return {std::move(revived.body), true};
  }
  bool removed = is_removed(revived.object->key());
  if (!removed) index_.put(hash, std::move(revived.object));
  return {std::move(revived.body), removed};
}

void Backlog::finish() {
  std::unique_lock guard(lock_);
  whole_.store(true, std::memory_order_release);
  waiting_ = {};
  early_.clear();
  removals_.clear();
  finished_.notify_all();
  finished_.wait(guard, [&] { return readers_ == 0; });
}

}  // namespace relay::edge::cache
