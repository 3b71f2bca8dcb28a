// Media as viewers and edges get it (DESIGN 3.3): playlists from the catalog with short lifetimes,
// everything else by sendfile from the store, immutable. Validators, ranges, gzip, CORS.
#pragma once

#include <string>
#include <string_view>

#include "common/media/media_path.hpp"
#include "common/net/handler.hpp"
#include "origin/catalog.hpp"
#include "origin/downloads.hpp"
#include "origin/live_delivery.hpp"
#include "origin/segment_store.hpp"

namespace relay::origin {

class Delivery {
 public:
  Delivery(const Catalog& catalog, const SegmentStore& store, const LiveDelivery& live,
           Downloads& downloads)
      : catalog_(catalog), store_(store), live_(live), downloads_(downloads) {}

  /// Answers any request for a path that is not the API's or a page's; `path` is normalised.
  net::Task<void> answer(net::Exchange& exchange, std::string path) const;

  /// Whether what the path names is there, ready or not; true also while the catalog cannot tell.
  bool has_asset(std::string_view path) const;

 private:
  /// A file to send: what the catalog says of it and how it is labelled.
  struct File {
    std::filesystem::path path;
    ObjectRecord record;
    http::Headers headers;
    std::string content_type;
    std::uint64_t offset = 0;  // where it begins in the file
  };
  struct Playlist {
    PlaylistRecord record;
    std::string lifetime;
    std::string tags;  // Cache-Tag
  };
  net::Task<void> answer_live_playlist(net::Exchange& exchange, media::MediaPath path,
                                       std::shared_ptr<live::Rendition> rendition) const;
  net::Task<void> answer_trick_play(net::Exchange& exchange, media::MediaPath path,
                                    LiveDelivery::Pictures pictures) const;
  net::Task<void> answer_part(net::Exchange& exchange, media::MediaPath path) const;
  net::Task<void> answer_playlist(net::Exchange& exchange, media::MediaPath path) const;
  net::Task<void> answer_file(net::Exchange& exchange, Result<File> file) const;
  /// Cache-Tag of an asset's addresses.
  Result<std::string> tags_of(const media::MediaPath& path) const;
  Result<Playlist> find_multivariant(const media::MediaPath& path) const;
  Result<Playlist> find_media_playlist(const media::MediaPath& path) const;
  Result<Playlist> of_channel(const media::MediaPath& path, LiveDelivery::Whole whole,
                              std::int64_t a_segment) const;
  Result<Playlist> find_i_frames(const media::MediaPath& path) const;
  Result<Playlist> find_playlist(const media::MediaPath& path) const;
  Result<File> find_object(const media::MediaPath& path, std::string_view full_path) const;
  Result<File> find_photo(const media::MediaPath& path, std::string_view accept) const;

  const Catalog& catalog_;
  const SegmentStore& store_;
  const LiveDelivery& live_;
  Downloads& downloads_;
};

}  // namespace relay::origin
