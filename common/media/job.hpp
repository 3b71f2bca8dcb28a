// The contract between the origin's supervisor and one transcoder process. Pure.
//
// A transcoder is started with: descriptor 0 a job as JSON, then end of file; descriptor 3 the
// source, open for reading (seekable); descriptor 4 a connected stream socket on which the origin
// speaks HTTP/1.1; argument --config FILE for its ladder and limits. It opens nothing else.
// On descriptor 4 it sends, one after another:
//   PUT /media/{path}   bytes of an object, path relative to the version's folder
//                       ("v720/init.mp4", "v720/3.m4s", "audio/0.m4s", "w640.jpg"), with
//                       Content-Type, Content-Length and Repr-Digest: xxh3-128=:BASE64:; with a
//                       video segment also where its key pictures lie (key_picture.hpp)
//                       204 = stored durably; the same bytes again are fine; other bytes are 409
//   PUT /media/{rendition}/index.m3u8   a media playlist: every object that it names must be
//                       stored and it must extend the one before, else 409 with the reason
//   PUT /media/index.m3u8   the multivariant playlist; names only renditions with a playlist, by
//                       "{version}/{rendition}/index.m3u8" (it is served from the asset's folder)
//   PUT /progress       JSON of a Progress; also the sign of life that the watchdog wants
//   PUT /result         JSON of a Result; the last request before it exits with 0
// Ending without a result is a crash: the origin tries again, then fails the asset. Some exit codes
// say why no result could be sent. A live channel's job: see live.hpp; the edges of a clip:
// edge_job.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"
#include "common/media/edge_job.hpp"
#include "common/media/live.hpp"

namespace relay::media {

inline constexpr int exit_out_of_memory = 70;   // over the memory limit of the process
inline constexpr int exit_cannot_publish = 75;  // the connection or the storage failed: try later
inline constexpr int exit_wrong_settings = 78;  // its own config file; the source was not looked at

enum class JobKind { video, photo, live, edges };

/// What an earlier try already published, so that this one goes on behind it.
struct PublishedRendition {
  std::string name;      // "v720", "audio", "source"
  std::string playlist;  // its media playlist as the origin holds it
  /// Bytes of each segment that the playlist names, in its order, so that bit rates stay measured
  /// over the whole asset. Empty: unknown.
  std::vector<std::uint64_t> segment_bytes;
  /// Their key pictures as text (key_picture.hpp), likewise.
  std::vector<std::string> segment_keys;
};

struct Job {
  JobKind kind = JobKind::video;
  std::string tenant, asset, version;
  std::uint64_t source_bytes = 0;
  int attempt = 1;  // 1 for the first
  std::vector<PublishedRendition> published;
  std::optional<LiveJob> live;        // of kind live, and only of it
  std::optional<EdgeJob> edges = {};  // of kind edges, once it begins
  std::string multivariant;           // as an earlier try published it; empty: not yet
};

struct Progress {
  double fraction = 0;  // 0 … 1 of the work
  std::string stage;    // "probing", "encoding", "finishing"
};

/// Of a result, which comes from a process that parsed hostile bytes.
inline constexpr std::size_t warnings_max = 8, warning_bytes_max = 200;

struct JobResult {
  bool ready = false;
  bool retry = false;  // when not ready: another try may help (a full disk, say)
  std::string reason;  // when not ready: a sentence that a broadcaster understands
  std::int64_t duration_ms = 0;
  int width = 0, height = 0;  // of the upright picture
  std::vector<int> photo_widths;
  std::int64_t edge_begin_us = 0;  // of kind edges: so long behind the rough clip's begin it begins
  /// When ready: what was wrong with the source all the same, sentences for a broadcaster; within
  /// warnings_max and warning_bytes_max.
  std::vector<std::string> warnings;
};

/// A reader skips keys that it does not know and defaults those that are absent; a wrong type or a
/// job without its names is an error (kind invalid).
std::string to_json(const Job& job);
Result<Job> job_from_json(std::string_view json);
std::string to_json(const Progress& progress);
Result<Progress> progress_from_json(std::string_view json);
std::string to_json(const JobResult& result);
Result<JobResult> result_from_json(std::string_view json);

}  // namespace relay::media
