// The playlists that came by lately, and which objects they name. Thread-safe: whoever looks an
// object up takes one short lock of many; versions are immutable snapshots; learning goes one at a
// time. Bounded by playlists_max and names_max: the ones longest unseen are forgotten. Knows no
// clock and no cache.
//
// Memory: about 150 bytes a name, 3 KiB a playlist.
#pragma once

#include <array>
#include <atomic>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/shared_value.hpp"
#include "edge/hls/readers.hpp"
#include "edge/hls/timeline.hpp"

namespace relay::edge::hls {

/// One playlist through its versions.
struct Rendition {
  SharedValue<const Timeline> newest;
  Readers readers;
  std::atomic<std::uint64_t> seen{0};  // number of the last version or of the last look at it
};

class Playlists {
 public:
  static constexpr std::size_t playlists_max = 1024;
  static constexpr std::size_t names_max = 128 * 1024;  // over all playlists; no playlist has more

  struct Place {
    std::shared_ptr<Rendition> rendition;
    std::int64_t sequence = 0;
  };
  struct Learnt {
    std::vector<std::string> left;      // keys of segments that are over, and no playlist names
    std::vector<std::string> returned;  // of segments that were over: the playlist went back
    std::vector<std::string> lasting;   // keys of init segments and keys that were not known before
    std::size_t unread = 0;  // segments that were fetched ahead and are not waited for now
  };

  /// Numbers versions in the order in which they came.
  std::uint64_t next_number() { return number_.fetch_add(1, std::memory_order_relaxed) + 1; }
  /// A version of the playlist with that key; one older than what is known is ignored. An empty
  /// timeline only remembers that there is nothing to learn.
  Learnt learn(std::string_view playlist, std::uint64_t number, Timeline timeline);
  /// Whether it need not be learnt again.
  bool knows(std::string_view playlist) const;
  /// The segment with that key, where the newest version of a playlist names it.
  std::optional<Place> find(std::string_view key);
  /// Whether some playlist names it as an init segment or a key.
  bool is_lasting(std::string_view key) const;

 private:
  enum class Role : std::uint8_t { segment, lasting, playlist };
  struct Name {
    std::shared_ptr<Rendition> rendition;  // the last that began to name it
    std::int64_t sequence = 0;
    std::uint32_t namers = 0;
    Role role = Role::segment;
  };
  using Names = boost::unordered_flat_map<std::uint64_t, Name>;
  struct Shard {
    mutable std::mutex mutex;  // guards names
    Names names;
  };
  struct Spot {
    std::int64_t sequence = 0;
    Role role = Role::segment;
    bool operator==(const Spot&) const = default;
  };
  /// What the learner knows of a playlist. Guarded by learning_.
  struct Known {
    std::uint64_t own_hash = 0;  // it has a name too, so that knows() need not wait for a learner
    std::shared_ptr<Rendition> rendition = std::make_shared<Rendition>();
    std::uint64_t number = 0;
    boost::unordered_flat_map<std::uint64_t, Spot> spots;  // by hash of the key
  };

  static constexpr std::size_t shard_count = 16;
  Shard& shard_of(std::uint64_t hash) { return shards_[hash % shard_count]; }
  const Shard& shard_of(std::uint64_t hash) const { return shards_[hash % shard_count]; }
  void name(std::uint64_t hash, const std::shared_ptr<Rendition>& rendition, Spot spot, bool anew);
  void unname(std::uint64_t hash);
  std::optional<Role> role_of(std::uint64_t hash) const;
  std::size_t make_room(std::size_t names, const Known& spared);
  std::size_t forget_oldest(const Known& spared);
  Known& known_of(std::string_view playlist);
  void update_names(Known& known, const Timeline& timeline, Learnt& learnt);
  void take_leave(const Known& known, const Timeline& now, Learnt& learnt) const;

  std::mutex learning_;  // guards what follows
  boost::unordered_flat_map<std::uint64_t, std::unique_ptr<Known>> known_;
  std::size_t name_count_ = 0;

  std::array<Shard, shard_count> shards_;
  std::atomic<std::uint64_t> number_{0};
};

}  // namespace relay::edge::hls
