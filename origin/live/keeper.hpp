// What a channel wants of whoever keeps assets and files: its record, its segments and its end must
// survive a restart. This room knows no catalog and no store; origin/live_keeper is the keeper of
// the origin.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"
#include "common/media/job.hpp"
#include "origin/live/channel_rules.hpp"
#include "origin/live/segment.hpp"

namespace relay::origin::live {

/// What a restart needs to know of an open channel.
struct ChannelRecord {
  media::Job job;  // of kind live; with the setup once it is known
  std::string key_sha256;
  ChannelRules rules;
  std::optional<WindowMark> window = {};  // absent: by a release that did not keep it
};

/// Thread-safe. All but the path wait for the disk: call them on the blocking pool.
class Keeper {
 public:
  virtual ~Keeper() = default;

  /// Of an object of the job's version: "v720/3.m4s".
  virtual std::filesystem::path media_path(const media::Job& job,
                                           std::string_view object) const = 0;
  virtual Result<void> save(const ChannelRecord& record) = 0;
  /// A segment is whole and synced; from now on it can be asked for. not_found: deleted meanwhile.
  virtual Result<void> keep(const media::Job& job, const std::string& rendition,
                            const Segment& segment, const Digest128& digest,
                            const std::vector<media::KeyPicture>& keys) = 0;
  /// These left the window: they are no longer the channel's, and go unless a clip holds them.
  virtual void forget(const media::Job& job, const std::string& rendition,
                      const std::vector<std::int64_t>& segments) = 0;
  /// What was kept, by rendition, in the order of the numbers.
  virtual Result<std::map<std::string, std::vector<Segment>>> kept(const media::Job& job) const = 0;
  /// The channel is a recording from now on: its last playlists, by rendition.
  virtual Result<void> end(const media::Job& job,
                           const std::map<std::string, std::string>& playlists,
                           std::int64_t duration_ms) = 0;
  /// Subscribers are told how the channel is: `state` is JSON without line breaks.
  virtual void tell(const media::Job& job, const std::string& state) = 0;
};

}  // namespace relay::origin::live
