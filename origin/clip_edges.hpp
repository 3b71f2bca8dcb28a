// The job that makes a clip exact, as the catalog and the store see it: what its transcoder reads,
// and what becomes of what it made. Blocks: for the blocking pool.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/error.hpp"
#include "common/media/job.hpp"
#include "origin/catalog.hpp"
#include "origin/clip/edges.hpp"
#include "origin/segment_store.hpp"

namespace relay::origin {

/// Thread-safe.
class ClipEdges {
 public:
  /// Catalog and store outlive it. `free_space_min`: bytes that a source leaves free on the disk.
  ClipEdges(Catalog& catalog, SegmentStore& store, std::uint64_t free_space_min)
      : catalog_(catalog), store_(store), free_space_min_(free_space_min) {}

  /// Writes the source of the job, unless an earlier try did; a clip that can never be made exact
  /// is given up. Errors, with a sentence for the broadcaster: not_found (the clip is gone, or was
  /// given up), no_space and others of the disk.
  Result<void> begin(const media::Job& job);
  /// What the job's transcoder is told.
  Result<media::EdgeJob> edges_of(const media::Job& job) const;
  /// The job's end: viewers get the exact version, or the clip says why it stays as it is.
  /// not_found: the clip is gone.
  Result<Asset> settle(const media::Job& job, const media::JobResult& result);

 private:
  /// The clip as viewers have it meanwhile.
  struct Rough {
    Asset asset;
    media::MultivariantPlaylist multivariant;
    clip::MediaPlaylists playlists;
  };
  struct Layout;
  Result<Rough> rough_of(const media::Job& job) const;
  Result<Layout> layout_of(const media::Job& job) const;
  Result<void> add(const std::string& tenant, const clip::Place& place, Layout& layout) const;
  /// Errors: invalid (it can never be made, with a sentence for the broadcaster), internal (nor
  /// then, by our own fault), no_space and others of the disk, not_found.
  Result<void> write_source(const media::Job& job);
  Result<void> check_room(std::uint64_t bytes) const;
  void remove_source(const media::Job& job);
  Result<ExactClip> exact_of(const media::Job& job, std::int64_t begin_us) const;
  Result<Asset> finish(const media::Job& job, std::int64_t begin_us);
  Result<Asset> give_up(const media::Job& job, const std::string& reason);

  Catalog& catalog_;
  SegmentStore& store_;
  const std::uint64_t free_space_min_;
};

}  // namespace relay::origin
