// The downloads that are at hand: files (origin/downloads) that were asked for lately, and those
// that are being put together. Whoever asks for one of these waits for it, so that a crowd costs
// what one does.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/shared_value.hpp"
#include "common/net/blocking.hpp"
#include "common/net/broadcast.hpp"
#include "origin/download/plan.hpp"

namespace relay::origin {

/// Half of the origin's pool for blocking work: commits and syncs wait there too. Each has up to
/// the sample tables of one file in memory.
inline constexpr std::size_t download_builds_max = 4;

struct DownloadFile {
  std::string key;  // tenant/asset/version/rendition
  download::Plan plan;
  std::vector<std::filesystem::path> files;
  std::string entity_tag;
  WallTime modified{};
  std::uint64_t memory_bytes() const;
};

class DownloadShelf {
 public:
  using Shared = std::shared_ptr<const DownloadFile>;
  using Make = std::function<Result<Shared>()>;

  /// `blocking` outlives it.
  explicit DownloadShelf(net::Blocking& blocking) : blocking_(blocking) {}

  /// The file of that key: as it is kept, or what `make` gives, which is called once on the
  /// blocking pool for all who ask meanwhile; a failure is theirs too and is not kept. Any thread.
  /// Errors: those of `make`; unavailable (again later): download_builds_max others are being made.
  net::Task<Result<Shared>> find(std::string key, Make make);

 private:
  struct Build {
    SharedValue<const Result<Shared>> result;  // null: not yet
    net::Broadcast done;
  };
  struct Place {
    Shared file;  // else:
    std::shared_ptr<Build> build;
    bool is_ours = false;  // to be made
  };
  Result<Place> look(const std::string& key);
  void settle(const std::string& key, const std::shared_ptr<Build>& build, Result<Shared> made);
  void remember(Shared file);  // under the lock

  net::Blocking& blocking_;
  std::mutex mutex_;        // guards all below
  std::list<Shared> kept_;  // asked for last, the newest first: ranges of one file come in a row
  std::map<std::string, std::shared_ptr<Build>> building_;
};

}  // namespace relay::origin
