// What the store thread does when LMDB has given up a file under it.
#include <chrono>

#include "common/base/log.hpp"
#include "edge/cache/writer.hpp"

namespace relay::edge::cache {
namespace {

constexpr std::chrono::seconds reopen_interval{10};

}  // namespace

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
  bool damaged = reopened.error().kind == ErrorKind::corrupt;
  reopen_again_ = damaged ? SteadyTime::max() : steady_now() + reopen_interval;
  log::error(damaged ? "cache stores nothing until a restart" : "cache files cannot be opened",
             {kv("path", folder_.string()), kv("why", reopened.error().message)});
}

}  // namespace relay::edge::cache
