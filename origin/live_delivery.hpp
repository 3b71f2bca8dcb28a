// What viewers and edges get of a channel that is open: its playlists, with every directive of
// low-latency HLS answered, and its parts. The rest (segments, inits, playlists of what has ended)
// is in the catalog, and origin/delivery serves it from there.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/media/live.hpp"
#include "common/media/media_path.hpp"
#include "common/media/playlist.hpp"
#include "common/net/task.hpp"
#include "origin/live/channels.hpp"
#include "origin/records.hpp"

namespace relay::origin {

class LiveDelivery {
 public:
  /// Outlives it.
  explicit LiveDelivery(const live::Channels& channels, const live::Keeper& keeper)
      : channels_(channels), keeper_(keeper) {}

  /// nullptr: the path is of no rendition of a channel that is open.
  std::shared_ptr<live::Rendition> find(const media::MediaPath& path) const;

  /// The same, and for a while one of a channel that has ended, for part().
  std::shared_ptr<live::Rendition> find_with_parts(const media::MediaPath& path) const;

  struct Playlist {
    PlaylistRecord record;
    std::string lifetime;
  };
  /// Waits as the query asks. Errors: invalid (6.2.5.2: 400), unavailable (it takes too long),
  /// not_found (the channel was deleted).
  static net::Task<Result<Playlist>> playlist(std::shared_ptr<live::Rendition> rendition,
                                              std::string query);

  /// What a channel's playlist for trick play is made of: its window as an ordinary playlist.
  struct Pictures {
    std::shared_ptr<live::Rendition> rendition;
    media::LiveSetup setup;
    std::int64_t a_segment = 1;  // so many entries has each segment
  };
  /// nullopt: the path is of no such playlist of a channel that is open.
  std::optional<Pictures> pictures(const media::MediaPath& path) const;
  struct Whole {
    media::MediaPlaylist playlist;  // of segments, or of thumbnails
    WallTime modified{};
    std::string lifetime;
    bool delta = false;  // an update will do
  };
  /// Waits as playlist() does. nullopt: the channel has ended, and its playlists are in the
  /// catalog.
  static net::Task<Result<std::optional<Whole>>> whole(Pictures of, std::string query);

  struct PartFile {
    std::filesystem::path path;  // of its segment
    std::uint64_t offset = 0;
    ObjectRecord record;
  };
  /// Waits for the next part, which the playlist hints at. Errors: not_found, unavailable.
  net::Task<Result<PartFile>> part(std::string tenant, std::string asset,
                                   std::shared_ptr<live::Rendition> rendition, std::int64_t segment,
                                   std::int64_t part) const;

 private:
  const live::Channels& channels_;
  const live::Keeper& keeper_;
};

}  // namespace relay::origin
