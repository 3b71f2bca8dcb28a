// One version of a live playlist as an edge gives it out: its text, whole or as a delta update,
// plain or compressed, each made once however many ask. Immutable to its readers; thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/error.hpp"
#include "common/http/message.hpp"
#include "common/media/live_playlist_delta.hpp"

namespace relay::edge {

class LiveVersion {
 public:
  /// How an answer of upstream came.
  struct Arrival {
    http::Headers head;
    std::uint64_t purge_sequence = 0;  // of the purge log when its fetch began
    SteadyTime at{};
  };
  /// Errors: invalid, when the text is no whole live playlist.
  static Result<std::shared_ptr<const LiveVersion>> make(const Arrival& arrival, std::string text);
  /// What a delta update makes of this one. nullptr: they do not fit (common/media).
  std::shared_ptr<const LiveVersion> with(const Arrival& arrival, std::string_view delta) const;
  /// Whether it is recent enough to go on from by a delta update (6.2.5.1): half the skip boundary.
  bool takes_deltas(SteadyTime now) const;

  const media::LivePlaylistOutline& outline() const { return outline_; }
  std::uint64_t purge_sequence() const { return purge_sequence_; }
  const std::vector<std::string>& cache_tags() const { return cache_tags_; }
  /// Whether it shows less than the other: it would take back what viewers have seen. One that has
  /// ended is the last word: gaps at its end, which a recording has not, are nothing to lose.
  bool is_behind(const LiveVersion& other) const;

  struct Form {
    bool delta = false;  // the whole all the same, when there is nothing to skip
    bool gzip = false;
  };
  /// Valid as long as this.
  const std::string& body(Form form) const;
  /// Fields of upstream's answer that hold for every form.
  const http::Headers& fields() const { return fields_; }

 private:
  LiveVersion(const Arrival& arrival, media::WholePlaylist whole);
  std::string text_;
  media::LivePlaylistOutline outline_;
  http::Headers fields_;
  std::uint64_t purge_sequence_;
  SteadyTime came_;
  std::vector<std::string> cache_tags_;
  mutable std::array<std::once_flag, 4> made_;
  mutable std::array<std::string, 4> bodies_;  // by form
};

}  // namespace relay::edge
