#include "origin/live/srt_listener.hpp"

#include <netinet/in.h>
#include <srt/access_control.h>
#include <srt/srt.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

#include "common/base/clock.hpp"
#include "common/base/limits.hpp"
#include "common/base/log.hpp"
#include "common/net/address.hpp"
#include "origin/live/channels.hpp"
#include "origin/live/refusal_log.hpp"
#include "origin/live/ts_units.hpp"

namespace relay::origin::live {
namespace {

constexpr int backlog = 64;
constexpr std::size_t events_max = 64;  // taken at once
constexpr std::int64_t wait_ms = 200;   // how soon a stop is noticed
// Without a packet: it is gone. As long as encoders wait for us (libsrt's default): who gave up and
// comes again finds the slot free.
constexpr int peer_idle_ms = 5'000;
constexpr std::size_t packet_bytes_max = 1500;
constexpr std::size_t messages_a_turn = 256;  // of one publisher, before the next one's turn

[[noreturn]] void cannot(const std::string& address, std::string_view why) {
  throw std::runtime_error(fmt::format("cannot listen on {} (SRT): {}", address, why));
}

void set(SRTSOCKET socket, SRT_SOCKOPT option, const auto& value) {
  srt_setsockflag(socket, option, &value, sizeof value);
}

/// As agreed with the publisher: the longer one of both sides' wishes.
int latency_ms_of(SRTSOCKET socket) {
  int latency_ms = 0;
  int size = sizeof latency_ms;
  return srt_getsockflag(socket, SRTO_RCVLATENCY, &latency_ms, &size) == 0 ? latency_ms : 0;
}

std::string stream_id_of(SRTSOCKET socket) {
  std::array<char, 513> text{};
  int size = text.size() - 1;
  if (srt_getsockflag(socket, SRTO_STREAMID, text.data(), &size) != 0) return {};
  return {text.data(), static_cast<std::size_t>(size)};
}

std::string address_text(const sockaddr_storage& from) {
  net::asio::ip::tcp::endpoint at;
  std::memcpy(at.data(), &from, std::min(sizeof from, at.capacity()));
  return at.address().to_string();
}

/// What both sides made of each other's passphrase. `required`: nothing but the channel's own will
/// do. nullopt: all is well.
std::optional<const char*> encryption_flaw(SRTSOCKET socket, bool required) {
  std::int32_t state = SRT_KM_S_BADSECRET;
  int size = sizeof state;
  if (srt_getsockflag(socket, SRTO_RCVKMSTATE, &state, &size) != 0) return "it was gone at once";
  if (state == SRT_KM_S_SECURED || (!required && state == SRT_KM_S_UNSECURED)) return std::nullopt;
  if (!required) return "it is encrypted, which goes without a key in the stream id";
  return state == SRT_KM_S_BADSECRET ? "the passphrase was wrong"
                                     : "it came without the passphrase";
}

struct Publisher {
  std::unique_ptr<Feed> feed;
  TsUnits units;
  std::string channel, peer;  // for logs
};

}  // namespace

struct SrtListener::Impl {
  Impl(const std::string& address, std::chrono::milliseconds latency, const Channels& of,
       Metrics& metrics);
  ~Impl();

  /// On a thread of libsrt, before the connection is accepted: 0 when it may be.
  static int judge(void* self, SRTSOCKET socket, int version, const sockaddr* peer,
                   const char* stream_id);
  int refuse(SRTSOCKET socket, int reason, std::string_view why);
  void note_refused(std::string_view peer, std::string_view channel, std::string_view why);

  void run();
  void accept();
  Result<std::unique_ptr<Feed>> admit(SRTSOCKET socket, const StreamKey& key) const;
  void read(SRTSOCKET socket);
  bool take(Publisher& publisher, std::string_view bytes);
  void close(SRTSOCKET socket, std::string_view why);

  const Channels& channels;
  Gauge& publishing;
  Counter& refused;
  Counter& bytes;
  std::mutex log_mutex;  // guards refusal_log
  RefusalLog refusal_log;
  SRTSOCKET door = SRT_INVALID_SOCK;
  int epoll = -1;
  std::map<SRTSOCKET, Publisher> publishers;  // the thread's own
  std::atomic<bool> stopping{false};
  std::thread thread;
};

SrtListener::Impl::Impl(const std::string& address, std::chrono::milliseconds latency,
                        const Channels& of, Metrics& metrics)
    : channels(of),
      publishing(metrics.gauge("origin_live_publishers", "Publishers that are connected.",
                               "protocol=\"srt\"")),
      refused(metrics.counter("origin_live_refused_total", "Publishers that were refused.",
                              "protocol=\"srt\"")),
      bytes(metrics.counter("origin_live_received_bytes_total", "Bytes that publishers sent.",
                            "protocol=\"srt\"")) {
  auto at = net::parse_address(address);
  srt_startup();
  srt_setloglevel(LOG_CRIT);
  door = srt_create_socket();
  if (door == SRT_INVALID_SOCK) cannot(address, srt_getlasterror_str());
  set(door, SRTO_RCVSYN, false);
  set(door, SRTO_PEERIDLETIMEO, peer_idle_ms);
  set(door, SRTO_RCVLATENCY, static_cast<int>(latency.count()));
  // Or it would refuse by itself and tell nobody; see encryption_flaw().
  set(door, SRTO_ENFORCEDENCRYPTION, false);
  if (srt_listen_callback(door, judge, this) != 0 ||
      srt_bind(door, at.data(), static_cast<int>(at.size())) != 0 || srt_listen(door, backlog) != 0)
    cannot(address, srt_getlasterror_str());
  epoll = srt_epoll_create();
  int events = SRT_EPOLL_IN | SRT_EPOLL_ERR;
  srt_epoll_add_usock(epoll, door, &events);
  thread = std::thread([this] { run(); });
}

SrtListener::Impl::~Impl() {
  stopping = true;
  if (thread.joinable()) thread.join();
  if (door != SRT_INVALID_SOCK) srt_close(door);
  if (epoll >= 0) srt_epoll_release(epoll);
  srt_cleanup();
}

int SrtListener::Impl::refuse(SRTSOCKET socket, int reason, std::string_view why) {
  srt_setrejectreason(socket, reason);
  note_refused("", "", why);
  return -1;
}

void SrtListener::Impl::note_refused(std::string_view peer, std::string_view channel,
                                     std::string_view why) {
  refused.add();
  std::lock_guard lock(log_mutex);
  auto left_out = refusal_log.line(steady_now());
  if (!left_out) return;
  log::info("publisher refused", {kv("protocol", "srt"), kv("peer", peer), kv("channel", channel),
                                  kv("why", why), kv("not_logged_before", *left_out)});
}

int SrtListener::Impl::judge(void* self, SRTSOCKET socket, int, const sockaddr*,
                             const char* stream_id) {
  auto& me = *static_cast<Impl*>(self);
  auto key = read_stream_id(stream_id ? stream_id : "");
  if (!key) return me.refuse(socket, SRT_REJX_BAD_REQUEST, key.error().message);
  constexpr std::string_view unknown = "no such channel, it has ended, or this is not its key";
  auto channel = me.channels.find(key->tenant, key->asset);
  if (!key->key.empty()) {
    bool fits = channel && channel->accepts(key->key);
    if (channel && !fits) channel->note_refusal(key->slot, wrong_key);
    return fits ? 0 : me.refuse(socket, SRT_REJX_UNAUTHORIZED, unknown);
  }
  if (!channel) return me.refuse(socket, SRT_REJX_UNAUTHORIZED, unknown);
  // Whether the other side knows it too is seen once both have spoken.
  std::string passphrase = channel->passphrase();
  srt_setsockflag(socket, SRTO_PASSPHRASE, passphrase.data(), static_cast<int>(passphrase.size()));
  return 0;
}

void SrtListener::Impl::run() {
  std::array<SRT_EPOLL_EVENT, events_max> events;
  while (!stopping) {
    int count = srt_epoll_uwait(epoll, events.data(), events.size(), wait_ms);
    auto ready =
        std::min<std::size_t>(events.size(), count > 0 ? static_cast<std::size_t>(count) : 0);
    for (const SRT_EPOLL_EVENT& event : std::span(events).first(ready)) {
      if (event.fd == door)
        accept();
      else
        read(event.fd);
    }
  }
  while (!publishers.empty()) close(publishers.begin()->first, "the origin stops");
}

/// Whoever shows no key must know the passphrase.
Result<std::unique_ptr<Feed>> SrtListener::Impl::admit(SRTSOCKET socket,
                                                       const StreamKey& key) const {
  if (publishers.size() >= limits::publishers_max)
    return fail(ErrorKind::unavailable, ErrorSource::internal, "too many publishers");
  auto channel = channels.find(key.tenant, key.asset);
  if (!channel)
    return fail(ErrorKind::unavailable, ErrorSource::client, "the channel has just ended");
  if (auto flaw = encryption_flaw(socket, key.key.empty())) {
    channel->note_refusal(key.slot, *flaw);
    return fail(ErrorKind::denied, ErrorSource::client, *flaw);
  }
  if (!key.key.empty()) return channels.admit(key, media::FeedFormat::mpegts);
  return channel->publish(key.slot, media::FeedFormat::mpegts, AdmittedBy::stream_key);
}

void SrtListener::Impl::accept() {
  sockaddr_storage from{};
  int size = sizeof from;
  SRTSOCKET socket = srt_accept(door, reinterpret_cast<sockaddr*>(&from), &size);
  if (socket == SRT_INVALID_SOCK) return;
  std::string peer = address_text(from);
  auto key = read_stream_id(stream_id_of(socket));
  auto feed = key ? admit(socket, *key) : std::unexpected(key.error());
  if (!feed) {
    note_refused(peer, key ? key->tenant + "/" + key->asset : "", feed.error().message);
    srt_close(socket);
    return;
  }
  Publisher publisher{std::move(*feed), {}, key->tenant + "/" + key->asset, std::move(peer)};
  log::info(
      "publisher came",
      {kv("protocol", "srt"), kv("peer", publisher.peer), kv("channel", publisher.channel),
       kv("slot", media::name(publisher.feed->slot())), kv("latency_ms", latency_ms_of(socket))});
  publishers.emplace(socket, std::move(publisher));
  publishing.add(1);
  int events = SRT_EPOLL_IN | SRT_EPOLL_ERR;
  srt_epoll_add_usock(epoll, socket, &events);
}

void SrtListener::Impl::read(SRTSOCKET socket) {
  auto found = publishers.find(socket);
  if (found == publishers.end()) return;
  std::array<char, packet_bytes_max> message;
  for (std::size_t i = 0; i < messages_a_turn; ++i) {
    int size = srt_recvmsg(socket, message.data(), message.size());
    if (size == SRT_ERROR && srt_getlasterror(nullptr) == SRT_EASYNCRCV) return;
    if (size <= 0) return close(socket, "it is gone");
    bytes.add(static_cast<std::uint64_t>(size));
    if (!take(found->second, {message.data(), static_cast<std::size_t>(size)}))
      return close(socket, "not wanted any more, or no MPEG-TS");
  }
}

bool SrtListener::Impl::take(Publisher& publisher, std::string_view message) {
  bool wanted = true;
  auto give = [&](std::string_view unit, Unit kind) {
    wanted = wanted && publisher.feed->write(unit, kind);
  };
  auto fine = publisher.units.add(message, give);
  if (!fine) publisher.feed->refuse(fine.error().message);
  return fine && wanted;
}

void SrtListener::Impl::close(SRTSOCKET socket, std::string_view why) {
  auto found = publishers.find(socket);
  log::info("publisher left", {kv("protocol", "srt"), kv("peer", found->second.peer),
                               kv("channel", found->second.channel), kv("why", why)});
  publishers.erase(found);
  publishing.add(-1);
  srt_epoll_remove_usock(epoll, socket);
  srt_close(socket);
}

SrtListener::SrtListener(const std::string& address, std::chrono::milliseconds latency,
                         const Channels& channels, Metrics& metrics)
    : impl_(std::make_unique<Impl>(address, latency, channels, metrics)) {
}

SrtListener::~SrtListener() = default;

}  // namespace relay::origin::live
