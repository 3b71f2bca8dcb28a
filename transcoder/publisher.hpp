// Sends objects to the origin over the inherited connection (the protocol of
// common/media/job.hpp): blocking HTTP/1.1 on a thread of its own, several requests in flight,
// answered in order. What waits is bounded, so a slow origin slows the encoders down.
//
// The first failure stays: every later call returns it, nothing more is sent.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/hash.hpp"
#include "common/media/job.hpp"
#include "common/media/key_picture.hpp"

namespace relay::transcoder {

/// What an answer 409 to an object means: an error, or that an earlier try stored the same span
/// of time in other bytes, which then stay (only playlists decide what viewers see).
enum class OnConflict { refuse, keep_earlier };

struct Object {
  std::string path;  // below the version's folder: "v720/3.m4s"
  std::string body;
  Digest128 digest;  // of the body, from the moment it was made
  OnConflict on_conflict = OnConflict::refuse;
  std::vector<media::KeyPicture> keys = {};  // of a video segment
};

struct PublisherOptions {
  std::uint64_t queue_bytes_max = 64ull << 20;    // waiting to be sent
  std::uint64_t output_bytes_max = 256ull << 30;  // of all objects together
  std::chrono::milliseconds stall{60000};         // origin neither reads nor answers
};

/// One part of a live rendition (common/media/live.hpp).
struct LivePart {
  std::string rendition;
  std::int64_t segment = 0, part = 0;
  std::int64_t ticks = 0;  // its duration
  bool independent = false;
  bool last = false;  // of its segment
  std::string body;
  Digest128 digest;
  std::vector<media::KeyPicture> keys = {};  // its first picture, if it begins a group
};

/// Thread-safe.
class Publisher {
 public:
  /// Borrows the connected socket `fd` and starts the sending thread.
  Publisher(int fd, PublisherOptions options);
  /// Drops what is still waiting: call finish() first.
  ~Publisher();

  /// Queues PUT /media/{path} with its digest; waits while the queue is full. Errors, of this
  /// object or of an earlier one: conflict (the origin has other bytes, or refuses a playlist),
  /// no_space (507; retry), too_large (over output_bytes_max), unavailable, timeout or aborted
  /// (the connection; retry), invalid (any other refusal).
  Result<void> put(Object object);
  /// Queues PUT /progress.
  Result<void> progress(const media::Progress& progress);
  /// Queue PUT /live/…; waiting and errors as of put(). A part that the origin has already, in
  /// whatever bytes, stays as it is.
  Result<void> live_setup(const media::LiveSetup& setup);
  Result<void> live_part(LivePart part);
  Result<void> live_status(const media::LiveStatus& status);
  /// Waits until everything queued has been answered.
  Result<void> finish();
  /// PUT /result and its answer; the last call. Also after a failure, as long as the connection
  /// works.
  Result<void> result(const media::JobResult& result);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay::transcoder
