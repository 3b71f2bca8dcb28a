// Which object leaves next: GreedyDual with frequency, size and worth. Pure; not thread-safe.
//
// An object's priority is L + frequency * value * size^-b. The victim is the lowest; L, the
// priority of the last victim, ages everybody else without touching them. The frequency comes
// from a sketch that remembers keys after they were evicted. b = 1 is GDSF (counts objects),
// b = 0 is LFU with ageing (counts bytes); 0.5 gets most of both.
//
// Evidence (object miss / byte miss at 1 % of the working set; LRU | S3-FIFO | this, prototype):
//   akamai_v2018  0.5577/0.5340 | 0.5878/0.5795 | 0.5367/0.5413
//   akamai_d1     0.6068/0.6548 | 0.6070/0.6543 | 0.5696/0.6153
//   akamai_d2     0.5136/0.4997 | 0.5023/0.4767 | 0.4800/0.4579
//   akamai_v1irm  0.6368/0.5641 | 0.5314/0.4435 | 0.5035/0.4531
//   media_synth   0.5974/0.5752 | 0.5605/0.5320 | 0.5381/0.5245
//
// Order: the term beside L is rounded to 16 steps an octave; objects of one step form a queue in
// the order of their last use. L never falls, so each queue's oldest is its lowest, and the victim
// is the lowest of the queues' heads (a few hundred at most). A use costs a splice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <unordered_map>

#include "edge/cache/sketch.hpp"

namespace relay::edge::cache {

struct PolicySettings {
  double size_exponent = 0.5;
  /// Uses of a key, this one included, before it may be stored. 1: store everything; 2: from the
  /// second use on, which writes 1.3 to 3.7 times less and misses one more time a key.
  unsigned admission_uses = 1;
  std::size_t sketch_columns = 1 << 18;
};

class Policy {
 public:
  using Id = std::uint64_t;
  explicit Policy(const PolicySettings& settings);

  /// Counts one use of a key that is not here, and tells whether it may be stored.
  bool admit(std::uint64_t hash);
  /// `hash` names the key for the sketch (admit() counted the use); `value` is what a miss costs,
  /// relative. The id must be new.
  void insert(Id id, std::uint64_t hash, std::uint64_t bytes, double value);
  /// A use. Unknown ids are ignored: the report may be older than an eviction.
  void touch(Id id);
  /// Left for another reason than eviction. Unknown ids are ignored.
  void erase(Id id);
  /// The one to evict next.
  std::optional<Id> victim() const;
  /// Takes out a victim and ages the others.
  void evict(Id id);
  std::size_t size() const { return places_.size(); }

 private:
  struct Entry {
    Id id;
    std::uint64_t hash;
    double weight;    // value * size^-b
    double priority;  // at the last use
    int step;
  };
  using Queue = std::list<Entry>;

  void place(Entry& entry) const;
  void take_out(std::unordered_map<Id, Queue::iterator>::iterator at);

  PolicySettings settings_;
  Sketch sketch_;
  double inflation_ = 0;  // L; grows by about 1e-3 an eviction, so a double never loses a step
  std::map<int, Queue> queues_;
  std::unordered_map<Id, Queue::iterator> places_;
};

}  // namespace relay::edge::cache
