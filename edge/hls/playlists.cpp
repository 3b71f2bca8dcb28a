#include "edge/hls/playlists.hpp"

#include "common/base/hash.hpp"

namespace relay::edge::hls {
namespace {

/// A playlist may be asked for like any object; as a playlist it has a name of its own.
std::uint64_t hash_of_playlist(std::string_view key) {
  return hash64(key, 1);
}

}  // namespace

Playlists::Known& Playlists::known_of(std::string_view playlist) {
  std::uint64_t hash = hash_of_playlist(playlist);
  auto& known = known_[hash];
  if (!known) {
    known = std::make_unique<Known>();
    known->own_hash = hash;
    name(hash, known->rendition, {0, Role::playlist}, true);
  }
  return *known;
}

Playlists::Learnt Playlists::learn(std::string_view playlist, std::uint64_t number,
                                   Timeline timeline) {
  Learnt learnt;
  std::size_t names = timeline.segments.size() + timeline.lasting.size();
  if (names > names_max) timeline = Timeline{}, names = 0;
  std::lock_guard guard(learning_);
  Known& known = known_of(playlist);
  if (number <= known.number) return learnt;
  known.number = number;
  known.rendition->seen.store(number, std::memory_order_relaxed);
  learnt.unread += make_room(names, known);
  update_names(known, timeline, learnt);
  take_leave(known, timeline, learnt);
  known.rendition->newest.store(std::make_shared<const Timeline>(std::move(timeline)));
  return learnt;
}

/// Of what the window has moved past. What another playlist still names is not over.
void Playlists::take_leave(const Known& known, const Timeline& now, Learnt& learnt) const {
  auto before = known.rendition->newest.load();
  if (!before) return;
  for (std::int64_t sequence : left_window(*before, now)) {
    if (known.rendition->readers.meet(sequence)) ++learnt.unread;
    std::string key = before->key_of(before->at(sequence));
    if (!role_of(hash64(key))) learnt.left.push_back(std::move(key));
  }
  for (std::int64_t sequence : left_window(now, *before)) {
    learnt.returned.push_back(now.key_of(now.at(sequence)));
  }
}

/// Only what changed is written where readers look.
void Playlists::update_names(Known& known, const Timeline& timeline, Learnt& learnt) {
  decltype(known.spots) spots;
  for (const std::string& target : timeline.lasting) {
    std::string key = timeline.key_of(target);
    std::uint64_t hash = hash64(key);
    spots[hash] = {0, Role::lasting};
    if (!known.spots.contains(hash)) learnt.lasting.push_back(std::move(key));
  }
  for (std::size_t i = 0; i < timeline.segments.size(); ++i) {
    const std::string& target = timeline.segments[i];
    if (target.empty()) continue;
    auto sequence = timeline.first + static_cast<std::int64_t>(i);
    spots.try_emplace(hash64(timeline.key_of(target)), Spot{sequence, Role::segment});
  }
  for (const auto& [hash, spot] : spots) {
    auto old = known.spots.find(hash);
    bool anew = old == known.spots.end();
    if (anew || old->second != spot) name(hash, known.rendition, spot, anew);
  }
  for (const auto& [hash, spot] : known.spots) {
    if (!spots.contains(hash)) unname(hash);
  }
  name_count_ += spots.size() - known.spots.size();
  known.spots = std::move(spots);
}

void Playlists::name(std::uint64_t hash, const std::shared_ptr<Rendition>& rendition, Spot spot,
                     bool anew) {
  Shard& shard = shard_of(hash);
  std::lock_guard lock(shard.mutex);
  Name& entry = shard.names[hash];
  entry.rendition = rendition;
  entry.sequence = spot.sequence;
  entry.role = spot.role;
  if (anew) ++entry.namers;
}

void Playlists::unname(std::uint64_t hash) {
  Shard& shard = shard_of(hash);
  std::lock_guard lock(shard.mutex);
  auto at = shard.names.find(hash);
  if (at != shard.names.end() && --at->second.namers == 0) shard.names.erase(at);
}

std::optional<Playlists::Role> Playlists::role_of(std::uint64_t hash) const {
  const Shard& shard = shard_of(hash);
  std::lock_guard lock(shard.mutex);
  auto at = shard.names.find(hash);
  if (at == shard.names.end()) return std::nullopt;
  return at->second.role;
}

/// For so many names in place of those that `spared` has. Returns how many segments fetched ahead
/// went with what was forgotten.
std::size_t Playlists::make_room(std::size_t names, const Known& spared) {
  std::size_t unread = 0;
  while (known_.size() > 1 &&
         (known_.size() > playlists_max || name_count_ - spared.spots.size() + names > names_max)) {
    unread += forget_oldest(spared);
  }
  return unread;
}

std::size_t Playlists::forget_oldest(const Known& spared) {
  auto oldest = known_.end();
  std::uint64_t least = ~std::uint64_t{0};
  for (auto at = known_.begin(); at != known_.end(); ++at) {
    std::uint64_t seen = at->second->rendition->seen.load(std::memory_order_relaxed);
    if (at->second.get() == &spared || seen >= least) continue;
    oldest = at, least = seen;
  }
  Known& gone = *oldest->second;
  std::size_t unread = gone.rendition->readers.expected();
  for (const auto& [hash, spot] : gone.spots) unname(hash);
  unname(gone.own_hash);
  name_count_ -= gone.spots.size();
  known_.erase(oldest);
  return unread;
}

bool Playlists::knows(std::string_view playlist) const {
  return role_of(hash_of_playlist(playlist)).has_value();
}

std::optional<Playlists::Place> Playlists::find(std::string_view key) {
  std::uint64_t hash = hash64(key);
  Shard& shard = shard_of(hash);
  Place place;
  {
    std::lock_guard lock(shard.mutex);
    auto at = shard.names.find(hash);
    if (at == shard.names.end() || at->second.role != Role::segment) return std::nullopt;
    place = {at->second.rendition, at->second.sequence};
  }
  std::uint64_t now = number_.load(std::memory_order_relaxed);
  auto& seen = place.rendition->seen;
  if (seen.load(std::memory_order_relaxed) != now) seen.store(now, std::memory_order_relaxed);
  return place;
}

bool Playlists::is_lasting(std::string_view key) const {
  return role_of(hash64(key)) == Role::lasting;
}

}  // namespace relay::edge::hls
