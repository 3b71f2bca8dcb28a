// The truth about what exists: assets, their versions, playlists and objects, and the log of what
// changed, in LMDB. Every change is one synced transaction, so it is whole and survives kill -9.
//
// Threads: reads from any thread (short, memory-mapped, no lock). Changes wait for the disk: call
// them on the blocking pool; a mutex makes them one after another. Nothing here is called while a
// coroutine is suspended in a transaction: every member opens and closes its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"
#include "common/media/job.hpp"
#include "common/store/lmdb.hpp"
#include "origin/asset.hpp"
#include "origin/clip/hold.hpp"
#include "origin/clip/playlists.hpp"
#include "origin/live/keeper.hpp"
#include "origin/records.hpp"

namespace relay::origin {

/// Something that subscribers are told. `sequence` 0: not in the log (progress), never replayed.
struct Event {
  std::uint64_t sequence = 0;
  std::string tenant;
  std::string type;  // "asset", "deleted", "progress", "channel"
  std::string data;  // JSON without line breaks
};

struct AssetFilter {
  std::optional<AssetKind> kind;
  std::string text;  // part of the name or title, without regard to ASCII case
  std::string tag;
};

struct AssetPage {
  std::vector<Asset> assets;  // by name
  std::string next_cursor;    // empty: this was the last page
};

/// A whole source that lies safely on the disk and wants to become an asset's newest version.
struct NewSource {
  std::string tenant, asset, version;
  AssetKind kind = AssetKind::video;
  std::optional<std::string> title;              // absent: keep
  std::optional<std::vector<std::string>> tags;  // absent: keep
  std::string sha256;
  std::uint64_t bytes = 0;
};

enum class Acceptance {
  created,    // a new asset
  replaced,   // a new version of a known one
  unchanged,  // the same bytes are there or under way; the new copy may go
};

struct Accepted {
  Acceptance acceptance = Acceptance::created;
  Asset asset;
  std::string superseded_version;  // whose job need not go on; empty: none
};

enum class ObjectOutcome { stored, same };

/// Segments that are a channel's no longer, though it still has them.
struct LeftBehind {
  media::Job job;
  std::string rendition;
  std::vector<std::int64_t> numbers;
  std::chrono::milliseconds shown{0};  // how long the last playlists were
};

/// A live channel that wants to be opened under a name that is free.
struct NewChannel {
  live::ChannelRecord record;
  std::string title;
  std::vector<std::string> tags;
};

/// A version of a clip: what it plays is there already.
struct NewClip {
  std::string tenant, asset, version;
  ClipFacts facts;
  std::optional<std::string> title;              // absent: keep
  std::optional<std::vector<std::string>> tags;  // absent: keep
  std::map<std::string, std::string> playlists;  // by rendition; "": the multivariant one
  std::vector<Rendition> renditions;
  int width = 0, height = 0;
  std::int64_t duration_ms = 0;
  std::vector<clip::Holds> holds;
  std::vector<clip::Place> objects;  // that must be there
  std::string exact_version = {};    // that a job is to make of it; empty: none
  bool is_whole = true;              // false: it grows
};

/// The version of a clip that such a job made.
struct ExactClip {
  std::map<std::string, std::string> playlists;  // by rendition; "": the multivariant one
  std::vector<Rendition> renditions;
  std::int64_t begin_us = 0;  // from the begin of the rough version
  std::int64_t duration_us = 0;
  std::vector<clip::Holds> holds;
};

/// A file of a version that nothing names any more.
struct Released {
  std::string asset, version, object;  // "final", "0abc", "v720/3.m4s"
};

struct MadeClip {
  Asset asset;
  bool is_new = true;                   // false: it replaced an earlier version
  std::vector<Released> released;       // by versions that nobody can be playing any more
  std::string superseded_version = {};  // whose job need not go on; empty: none
};

struct GivenUp {
  Asset asset;
  std::vector<Released> released;  // what the job had made
};

struct Removal {
  std::vector<Released> released;  // beside what was the asset's own
};

/// What a job's verdict did.
struct Settled {
  Asset asset;
  std::vector<std::string> stale_sources;  // versions whose source file is of no more use
};

class Catalog {
 public:
  static Result<std::unique_ptr<Catalog>> open(const std::filesystem::path& folder);

  /// Called after each change, in the order of the changes (progress comes in between, from any
  /// thread): must be short, thread-safe and must not call back. Set it before any other thread
  /// uses the catalog.
  void on_event(std::function<void(const Event&)> listener) { listener_ = std::move(listener); }

  // Reading. nullopt: there is no such thing.
  Result<std::optional<Asset>> asset(std::string_view tenant, std::string_view name) const;
  Result<AssetPage> list(std::string_view tenant, const AssetFilter& filter,
                         std::string_view cursor, std::size_t most) const;
  Result<std::optional<VersionRecord>> version(std::string_view tenant, std::string_view asset,
                                               std::string_view version) const;
  /// Rendition empty: the multivariant playlist.
  Result<std::optional<PlaylistRecord>> playlist(std::string_view tenant, std::string_view asset,
                                                 std::string_view version,
                                                 std::string_view rendition) const;
  Result<std::vector<media::PublishedRendition>> playlists(std::string_view tenant,
                                                           std::string_view asset,
                                                           std::string_view version) const;
  Result<std::optional<ObjectRecord>> object(std::string_view tenant, std::string_view asset,
                                             std::string_view version, std::string_view path) const;
  /// Many at once, as they are at one moment, in the order of `places`.
  Result<std::vector<std::optional<ObjectRecord>>> objects(
      std::string_view tenant, const std::vector<clip::Place>& places) const;
  /// Jobs of assets that are queued or processing: what a restart has to take up again,
  /// in the order of the uploads.
  Result<std::vector<media::Job>> unfinished() const;
  std::optional<media::Progress> progress(std::string_view tenant, std::string_view asset) const;
  /// Events of a tenant after `sequence`, oldest first.
  Result<std::vector<Event>> events_after(std::string_view tenant, std::uint64_t sequence) const;
  /// Whether the log still holds everything after `sequence`.
  Result<bool> log_reaches(std::uint64_t sequence) const;
  /// The public document, with the progress of a running job.
  boost::json::object document(const Asset& asset) const;

  // Changing.
  /// Errors: conflict (another kind; a photo with other bytes), no_space.
  Result<Accepted> accept(const NewSource& source);
  /// The job starts; not_found when the asset or this version is gone.
  Result<void> begin(const media::Job& job);
  /// It did not start after all: queued again.
  Result<void> put_back(const media::Job& job);
  /// conflict: other bytes under this name. not_found: deleted meanwhile.
  Result<ObjectOutcome> add_object(const media::Job& job, std::string_view path,
                                   const ObjectRecord& record);
  Result<void> set_playlist(const media::Job& job, std::string_view rendition,
                            const PlaylistRecord& record);
  /// True: from now on the asset's address gives this version, and did not before.
  Result<bool> set_multivariant(const media::Job& job, const PlaylistRecord& record,
                                std::vector<Rendition> renditions);
  Result<Settled> settle(const media::Job& job, const media::JobResult& result);
  /// Changes title and tags, where given; nullopt: there is no such asset.
  Result<std::optional<Asset>> relabel(std::string_view tenant, std::string_view asset,
                                       const std::optional<std::string>& title,
                                       const std::optional<std::vector<std::string>>& tags);
  /// nullopt: there was none. conflict: clips are made of it.
  Result<std::optional<Removal>> remove(std::string_view tenant, std::string_view asset);

  // Channels (catalog_live.cpp).
  /// conflict: the name is taken.
  Result<Asset> open_channel(const NewChannel& channel);
  /// not_found: deleted meanwhile, or ended.
  Result<void> set_channel(const live::ChannelRecord& record);
  /// Those that are open.
  Result<std::vector<live::ChannelRecord>> channels() const;
  /// A segment and its object, at once. not_found: deleted meanwhile.
  Result<void> add_segment(const media::Job& job, const std::string& rendition,
                           const live::Segment& segment, const ObjectRecord& object);
  Result<std::map<std::string, std::vector<live::Segment>>> segments(const media::Job& job) const;
  /// They are no longer the channel's. Answers those whose files may go: no clip holds them.
  Result<std::vector<std::int64_t>> remove_segments(const media::Job& job,
                                                    const std::string& rendition,
                                                    const std::vector<std::int64_t>& numbers);
  /// The asset is a recording from now on, with these playlists by rendition; "", the multivariant
  /// one, and `renditions` if they are not as they were declared.
  Result<Asset> end_channel(const media::Job& job,
                            const std::map<std::string, std::string>& playlists,
                            std::int64_t duration_ms, std::vector<Rendition> renditions = {});
  /// Of channels that have ended, what an earlier run meant to forget and had not yet: their
  /// recordings do not show it.
  Result<std::vector<LeftBehind>> left_behind() const;
  /// Tells subscribers only.
  void note_channel(const media::Job& job, const std::string& state);

  // Clips (catalog_clip.cpp).
  /// Makes it, or replaces the one that is there; the version before stays for those who play it
  /// (one that grew ends there and then), older ones go. conflict: the name is another kind's; too
  /// many clips of one source. not_found: the source or an object is not there any more.
  Result<MadeClip> make_clip(const NewClip& clip);
  // One that grows (catalog_growth.cpp).
  /// There is more of this version, or (`is_whole`) nothing comes any more; labels stay. not_found:
  /// it does not grow any more, or is not what viewers get; with `retry`: as of make_clip().
  Result<Asset> grow_clip(const NewClip& clip);
  /// Those that an earlier run left so.
  Result<std::vector<Asset>> growing_clips() const;
  // The end of a job of kind edges (catalog_exact.cpp). not_found: deleted or superseded meanwhile.
  /// Viewers get this version from now on; the rough one stays for those who play it.
  Result<Asset> finish_clip(const media::Job& job, const ExactClip& clip);
  /// The clip stays as it is, and says why.
  Result<GivenUp> give_up_clip(const media::Job& job, const std::string& reason);

  /// Kept in memory only: told to subscribers, gone after a restart.
  void note_progress(const media::Job& job, const media::Progress& progress);
  /// The same with another stage only: the job is as far as it was.
  void note_stage(const media::Job& job, std::string_view stage);

 private:
  struct Tables {
    store::Table assets, versions, playlists, objects, events, meta, channels, segments;
    store::Table clips;  // version of a clip → its holds
    store::Table holds;  // version of a source / version of a clip → nothing
  };
  class Change;
  Catalog(store::Env env, Tables tables) : env_(std::move(env)), tables_(tables) {}
  struct OtherVersions {
    std::vector<std::string> names;  // all but the newest
    std::string newest_ready;        // of these; empty: none
    VersionRecord newest_ready_record = {};
  };
  Result<void> put_holds(Change& change, const NewClip& clip);
  /// not_found, with `retry`: an object that it plays is not there.
  static Result<void> check_objects(const Change& change, const NewClip& clip);
  static Result<void> put_playlists(Change& change, const NewClip& clip);
  static Result<void> write_holds(Change& change, std::string_view tenant, std::string_view asset,
                                  std::string_view version, const std::vector<clip::Holds>& all);
  /// Of all that clips hold, that of this version.
  Result<std::vector<clip::Holds>> holds_on(const Change& change, std::string_view tenant,
                                            std::string_view asset, std::string_view version) const;
  Result<std::vector<Released>> drop_clip(Change& change, const Asset& clip,
                                          const std::string& version);
  Result<std::vector<Released>> drop_old_clips(Change& change, const Asset& clip,
                                               const std::vector<std::string>& kept);
  Result<void> end_growing(Change& change, const Asset& clip);
  /// What a version of a clip has of its own, but for pieces that other clips hold.
  Result<std::vector<Released>> drop_own(Change& change, const Asset& clip,
                                         const std::string& version);
  Result<std::vector<Released>> drop_unheld(Change& change, const std::string& tenant,
                                            const std::string& asset, const std::string& version);
  static Result<Asset> pending_clip(const Change& change, const media::Job& job);
  Result<std::vector<Released>> release(Change& change, const Asset& clip,
                                        const clip::Holds& holds);
  /// Of a channel: what no clip holds and has left its window.
  Result<std::vector<Released>> release_segments(Change& change, const std::string& tenant,
                                                 const clip::Holds& holds);
  Result<std::vector<Released>> release_segments(Change& change, const std::string& tenant,
                                                 const clip::Holds& holds, const clip::Hold& free);
  /// Of a clip: what is left of a version that was dropped.
  Result<std::vector<Released>> release_pieces(Change& change, const std::string& tenant,
                                               const clip::Holds& holds);
  /// Numbers of a rendition's segments that lie outside of a playlist.
  Result<std::vector<std::int64_t>> segments_outside(const media::Job& job,
                                                     const std::string& rendition,
                                                     const media::MediaPlaylist& playlist) const;
  Result<void> add_left_behind(const Asset& asset, std::vector<LeftBehind>& all) const;
  /// The clips that hold segments of an asset.
  static Result<std::set<std::string>> clips_on(const Change& change, std::string_view tenant,
                                                std::string_view asset);
  /// One of them that none of the others was made of.
  static Result<std::string> first_to_delete(const Change& change, std::string_view tenant,
                                             const std::set<std::string>& clips);
  /// conflict: clips hold segments of it.
  static Result<void> check_unheld(const Change& change, std::string_view tenant,
                                   std::string_view asset);
  static Result<Asset> live_asset(const Change& change, const media::Job& job);
  static Result<OtherVersions> other_versions(const Change& change, const Asset& asset);
  static Result<std::vector<Rendition>> renditions_shown(const Change& change, const Asset& asset);
  /// Viewers get this version from now on.
  static void show(Asset& asset, const std::string& version, const VersionRecord& record);
  static void become_ready(Asset& asset, const media::Job& job, const VersionRecord& version);
  static Result<void> become_failed(const Change& change, Asset& asset, const OtherVersions& others,
                                    const std::string& reason);
  void forget_progress(std::string_view tenant, std::string_view asset);

  store::Env env_;
  Tables tables_;
  std::mutex writer_;                            // one change at a time; also keeps events in order
  std::atomic<std::uint64_t> last_sequence_{0};  // changed with writer_ held
  std::function<void(const Event&)> listener_;
  mutable std::mutex progress_mutex_;  // guards progress_
  std::map<std::string, media::Progress, std::less<>> progress_;
};

}  // namespace relay::origin
