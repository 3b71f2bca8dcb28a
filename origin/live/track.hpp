// One rendition of a channel as its owner keeps it: the window, and the file of the segment that is
// being made. On the channel's thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/store/file.hpp"
#include "origin/live/recording.hpp"
#include "origin/live/rendition.hpp"
#include "origin/live/window.hpp"

namespace relay::origin::live {

/// A part as it came in.
struct PartArrival {
  std::string rendition;
  std::int64_t segment = 0, part = 0;
  std::int64_t ticks = 0;
  bool independent = false, last = false;
  std::string bytes;
  Digest128 digest;
  media::KeyPicture key = {};  // without bytes: none
};

/// As the window keeps it.
Part part_of(const PartArrival& arrival);

struct Track {
  Track(std::string name, Grid grid, std::int64_t timescale)
      : shared(std::make_shared<Rendition>(std::move(name))), window(std::move(grid), timescale) {}

  const std::shared_ptr<Rendition> shared;
  Window window;
  store::UniqueFd file;   // of the open segment
  store::UniqueFd notes;  // of its parts, for a restart (half_done)
  DigestStream digest;    // of its bytes
  SteadyTime last_part{};
  std::optional<std::chrono::milliseconds> lateness;  // of the last segment behind its end
  net::Broadcast settled;                             // a closing segment is complete, or given up

  /// Whether nothing has come for so long that a segment may be given up.
  bool is_quiet(SteadyTime now) const;
  /// What readers get from now on. `reports` are of the others.
  void publish(std::vector<media::LiveReport> reports, bool hints, bool ended);
  /// What viewers see once the channel has ended.
  media::LiveWindow shown_at_end(SegmentSpan span) const;
  /// Its playlist then.
  std::string text_of(const media::LiveWindow& shown) const;
};

/// Blocks: makes the file of a segment anew (offset 0) or goes on in `file`.
Result<void> write_part(store::UniqueFd& file, const std::filesystem::path& path,
                        std::uint64_t offset, std::string_view bytes);

}  // namespace relay::origin::live
