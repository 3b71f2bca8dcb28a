// What the store thread does when LMDB has given up a file under it.
#include <filesystem>
#include <utility>

#include "common/base/log.hpp"
#include "edge/cache/writer.hpp"

namespace relay::edge::cache {

/// After a failed write of its meta page LMDB refuses every transaction. Opened anew, the file is
/// as after the last commit that went through, or as after the failed one; the books fit both,
/// since what failed is erased again later. Hits go on meanwhile: pins do not use the environment.
void Writer::reopen(SteadyTime now) {
  if (now < reopen_again_) return;
  auto pause = syncer_.pause();
  auto reopened = volume_->reopen_unusable();
  if (reopened && !*reopened) return;
  if (reopened) {
    gauges_.reopened.add();
    log::warn("cache files opened anew", {kv("path", folder_.string())});
    return;
  }
  reopen_again_ = steady_now() + store::reopen_interval;
  if (reopened.error().kind == ErrorKind::corrupt) return give_up_files(reopened.error());
  log::error("cache files cannot be opened",
             {kv("path", folder_.string()), kv("why", reopened.error().message)});
}

/// What can be read of the bodies is served on. The next start begins empty, so that whatever was
/// removed cannot come back.
void Writer::give_up_files(const Error& error) {
  log::error("cache stores nothing until a restart",
             {kv("path", folder_.string()), kv("why", error.message)});
  given_up_ = true;
  std::error_code ignored;
  std::filesystem::remove(marker_path(folder_), ignored);
  for (auto& durable : std::exchange(awaiting_durable_, {})) durable();
}

}  // namespace relay::edge::cache
