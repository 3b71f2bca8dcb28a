#include "origin/download_shelf.hpp"

#include <algorithm>
#include <utility>

namespace relay::origin {
namespace {

constexpr std::size_t files_kept_max = 16;
constexpr std::uint64_t memory_kept_bytes_max = 64 << 20;

}  // namespace

std::uint64_t DownloadFile::memory_bytes() const {
  constexpr std::uint64_t path_bytes = 160;
  return plan.head.size() + plan.pieces.size() * sizeof(download::Piece) +
         files.size() * path_bytes;
}

net::Task<Result<DownloadShelf::Shared>> DownloadShelf::find(std::string key, Make make) {
  auto place = look(key);
  if (!place) co_return std::unexpected(place.error());
  if (place->file) co_return place->file;
  std::shared_ptr<Build> build = place->build;
  if (place->is_ours) {
    auto made = co_await net::run_blocking(blocking_, make);
    settle(key, build, std::move(made));
  }
  std::uint64_t seen = build->done.version();
  while (!build->result.load()) {
    co_await build->done.wait(seen);
    seen = build->done.version();
  }
  co_return *build->result.load();
}

Result<DownloadShelf::Place> DownloadShelf::look(const std::string& key) {
  std::lock_guard lock(mutex_);
  auto kept = std::ranges::find(kept_, key, [](const Shared& each) { return each->key; });
  if (kept != kept_.end()) {
    kept_.splice(kept_.begin(), kept_, kept);
    return Place{.file = kept_.front()};
  }
  auto at = building_.find(key);
  if (at != building_.end()) return Place{.build = at->second};
  if (building_.size() >= download_builds_max)
    return fail(ErrorKind::unavailable, ErrorSource::client,
                "other downloads are being prepared; try again in a moment", true);
  return Place{.build = building_[key] = std::make_shared<Build>(), .is_ours = true};
}

// Kept before it is no longer being made, or one who came in between would make it again.
void DownloadShelf::settle(const std::string& key, const std::shared_ptr<Build>& build,
                           Result<Shared> made) {
  {
    std::lock_guard lock(mutex_);
    if (made) remember(*made);
    building_.erase(key);
  }
  build->result.store(std::make_shared<const Result<Shared>>(std::move(made)));
  build->done.notify();
}

void DownloadShelf::remember(Shared file) {
  kept_.push_front(std::move(file));
  std::uint64_t bytes = 0;
  std::size_t count = 0;
  auto at = kept_.begin();
  for (; at != kept_.end(); ++at) {
    bytes += (*at)->memory_bytes();
    // The newest stays, however large: its reader comes back for the next range.
    if (++count > 1 && (count > files_kept_max || bytes > memory_kept_bytes_max)) break;
  }
  kept_.erase(at, kept_.end());
}

}  // namespace relay::origin
