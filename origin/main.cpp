// The origin: settings → catalog → store → ingest → API → server → jobs, in this order, and back.
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

#include "common/base/limits.hpp"
#include "common/base/log.hpp"
#include "common/base/program.hpp"
#include "common/net/server.hpp"
#include "origin/admin.hpp"
#include "origin/ingest.hpp"
#include "origin/jobs/supervisor.hpp"
#include "origin/live/channels.hpp"
#include "origin/live/rtmp_listener.hpp"
#include "origin/live/srt_listener.hpp"
#include "origin/live_api.hpp"
#include "origin/live_keeper.hpp"
#include "origin/origin.hpp"
#include "origin/reload.hpp"

namespace relay::origin {
namespace {

constexpr unsigned blocking_threads = 8;  // uploads, commits and syncs wait here side by side

template <class Value>
Value or_stop(Result<Value> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

/// Handlers that the server is made with know the channels, which live on its first worker: made
/// before it, they must let go of it first.
struct Release {
  live::Channels& channels;
  ~Release() { channels.release(); }
};

int run(const Settings& settings, const std::string& path) {
  Metrics metrics;
  auto catalog = or_stop(Catalog::open(settings.path + "/catalog"));
  SegmentStore store = or_stop(SegmentStore::open(settings.path));
  store.sweep(*catalog);
  Announcer announcer(metrics);
  Events events(*catalog, metrics);
  Access access(settings.tenants);
  net::Blocking blocking(blocking_threads);
  Ingest ingest(*catalog, store, announcer, blocking, metrics,
                {settings.jobs.object_size_max, settings.uploads.free_space_min});
  Uploads uploads(*catalog, store, announcer, blocking, metrics, settings.uploads);
  LiveKeeper keeper(*catalog, store, announcer);
  live::Channels channels(blocking, keeper, ingest, metrics, settings.live, settings.jobs);
  LiveApi live_api(channels, *catalog, blocking);
  ClipApi clip_api(*catalog, store, channels, announcer, blocking);
  Api api({*catalog, store, announcer, events, uploads, access, blocking, live_api, clip_api});
  LiveDelivery live_delivery(channels, keeper);
  Downloads downloads(*catalog, store, blocking);
  Delivery delivery(*catalog, store, live_delivery, downloads);
  Origin origin(api, delivery, metrics);
  Admin admin(*catalog, store, blocking, metrics);
  net::Server server(
      {{{settings.listen, &origin}, {settings.admin, &admin, false}}, thread_count(settings)});
  net::asio::io_context& first = *server.workers().front();
  announcer.start(first, settings.edges_admin);
  jobs::Supervisor supervisor(first, ingest, blocking, metrics, settings.jobs);
  api.start(supervisor);
  clip_api.start(first, supervisor);
  Release release{channels};
  channels.start(first);
  for (live::ChannelRecord& record : or_stop(catalog->channels())) {
    auto kept = or_stop(keeper.kept(record.job));
    channels.add(std::move(record), std::move(kept));
  }
  for (LeftBehind& left : or_stop(catalog->left_behind())) {
    auto channel = std::make_shared<live::ChannelRecord>(live::ChannelRecord{.job = left.job});
    channels.forget_later({channel, std::move(left.rendition), std::move(left.numbers)},
                          left.shown);
  }
  net::spawn(first, channels.run());
  std::vector<std::unique_ptr<live::RtmpListener>> listeners;
  auto listen = [&](const std::string& address, const live::RtmpTls& tls) {
    if (address.empty()) return;
    listeners.push_back(
        std::make_unique<live::RtmpListener>(server.workers(), address, tls, channels, metrics));
  };
  listen(settings.live.rtmp, {});
  listen(settings.live.rtmps, {settings.live.rtmps_certificate, settings.live.rtmps_key});
  std::optional<live::SrtListener> srt;
  if (!settings.live.srt.empty())
    srt.emplace(settings.live.srt, settings.live.srt_latency, channels, metrics);
  for (const Asset& clip : or_stop(catalog->growing_clips())) clip_api.go_on(clip);
  for (media::Job& job : or_stop(catalog->unfinished())) supervisor.submit(std::move(job));
  net::spawn(first, events.run_heartbeat());
  server.on_stop([&] {
    admin.set_draining();
    events.stop();
    supervisor.stop();
    for (auto& listener : listeners) listener->stop();
    srt.reset();
    channels.stop();
    announcer.stop();
  });
  log::info("serving", {log::kv("listen", settings.listen), log::kv("path", settings.path)});
  server.run([&] { reload(path, settings, access, announcer); });
  log::info("stopped", {});
  return 0;
}

}  // namespace
}  // namespace relay::origin

int main(int argc, char** argv) {
  relay::Program program{"torchrelay-origin", "Takes in, transcodes and publishes media.",
                         RELAY_VERSION};
  relay::Arguments arguments;
  if (auto stop = relay::parse_arguments(argc, argv, program, arguments)) return *stop;
  auto settings = relay::origin::load(arguments.config);
  if (!settings) return relay::report_settings_error(settings.error());
  if (arguments.check) return relay::report_settings_valid(arguments);
  relay::log::configure("origin", settings->log_level, settings->log_format);
  relay::raise_descriptors_max(relay::limits::connections_max *
                               relay::origin::thread_count(*settings));
  try {
    return relay::origin::run(*settings, arguments.config);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "torchrelay-origin: %s\n", error.what());
    return 1;
  }
}
