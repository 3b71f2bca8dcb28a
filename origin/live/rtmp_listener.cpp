#include "origin/live/rtmp_listener.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "common/base/limits.hpp"
#include "common/base/log.hpp"
#include "common/net/address.hpp"
#include "common/net/timer.hpp"
#include "origin/live/refusal_log.hpp"
#include "origin/live/rtmp_connection.hpp"

namespace relay::origin::live {
namespace {

namespace asio = net::asio;
namespace ssl = asio::ssl;
using net::use_result;
using TlsStream = ssl::stream<net::TcpSocket>;

constexpr auto last_words_wait = std::chrono::seconds(2);

template <class Stream>
class Carried final : public RtmpConnection {
 public:
  using Self = std::shared_ptr<Carried>;
  Carried(Stream stream, const Channels& channels, RtmpCounters counters, std::string peer,
          Place place)
      : RtmpConnection(channels, counters, std::move(peer), std::move(place)),
        stream_(std::move(stream)) {}

  /// Until the peer or the session ends; `self` keeps it alive.
  static net::Task<void> run(Self self) {
    co_await self->serve();
    self->close();
  }

  void expire() override {
    if (!ending_) log_end("it said nothing for too long");
    close();
  }
  void drain() override { close(); }

 private:
  static constexpr bool secure = std::is_same_v<Stream, TlsStream>;

  net::Task<void> serve() {
    await_bytes();
    if constexpr (secure) {
      auto [error] = co_await stream_.async_handshake(ssl::stream_base::server, use_result);
      if (error) {
        log_end(fmt::format("no TLS: {}", error.message()));
        co_return;
      }
    }
    std::vector<char> buffer(limits::read_buffer_bytes);
    bool wanted = true;
    while (wanted) {
      await_bytes();
      auto [error, size] = co_await stream_.async_read_some(asio::buffer(buffer), use_result);
      if (error) {
        log_end(error.message());
        co_return;
      }
      wanted = take({buffer.data(), size});
      std::string output = take_output();
      auto [failed, sent] = co_await asio::async_write(stream_, asio::buffer(output), use_result);
      if (failed) co_return;
    }
    co_await let_it_read(buffer);
  }

  // What it sent meanwhile is read away: closing over it would reset the connection, and take our
  // reason from the encoder before it has shown it.
  net::Task<void> let_it_read(std::vector<char>& buffer) {
    boost::system::error_code error;
    stream_.lowest_layer().shutdown(asio::socket_base::shutdown_send, error);
    ending_ = true;
    arm(last_words_wait);
    while (!error) {
      auto [ended, size] = co_await stream_.async_read_some(asio::buffer(buffer), use_result);
      error = ended;
    }
  }

  void close() {
    disarm();
    boost::system::error_code ignored;
    auto& socket = stream_.lowest_layer();
    socket.shutdown(asio::socket_base::shutdown_both, ignored);
    socket.close(ignored);
  }

  Stream stream_;
  bool ending_ = false;
};

std::unique_ptr<ssl::context> make_context(const RtmpTls& tls) {
  if (tls.certificate.empty()) return nullptr;
  auto context = std::make_unique<ssl::context>(ssl::context::tls_server);
  context->set_options(ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1);
  boost::system::error_code error;
  context->use_certificate_chain_file(tls.certificate, error);
  if (error) {
    throw std::runtime_error(fmt::format("live.rtmps_certificate: {} cannot be used: {}",
                                         tls.certificate, error.message()));
  }
  context->use_private_key_file(tls.key, ssl::context::pem, error);
  if (error) {
    throw std::runtime_error(
        fmt::format("live.rtmps_key: {} cannot be used: {}", tls.key, error.message()));
  }
  return context;
}

/// What connections of one listener share, whatever their workers.
struct House {
  House(const Channels& of, RtmpCounters counted) : channels(of), counters(std::move(counted)) {}

  const Channels& channels;
  RtmpCounters counters;
  std::unique_ptr<ssl::context> tls;  // null: plain
  std::atomic<std::size_t> connections{0};
  const std::shared_ptr<Doorstep> doorstep =
      std::make_shared<Doorstep>(limits::waiting_publishers_max);
};

/// Whose connections count together: an address, of IPv6 a network, out of which one host may have
/// as many addresses as it likes.
std::string peer_of(const asio::ip::address& address) {
  if (address.is_v4()) return address.to_string();
  auto bytes = address.to_v6().to_bytes();
  if (address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  std::fill(bytes.begin() + 8, bytes.end(), 0);
  return asio::ip::make_address_v6(bytes).to_string();
}

/// On the connection's worker, from its begin to its end.
template <class Stream>
net::Task<void> attend(asio::io_context& io, std::shared_ptr<House> house, Stream stream,
                       std::string peer, RtmpConnection::Place place) {
  auto connection = std::make_shared<Carried<Stream>>(
      std::move(stream), house->channels, house->counters, std::move(peer), std::move(place));
  asio::use_service<net::Watchdog>(io).watch(*connection);
  co_await Carried<Stream>::run(std::move(connection));
  --house->connections;
}

}  // namespace

struct RtmpListener::Impl {
  Impl(const Workers& on, const Channels& channels, RtmpCounters counters)
      : workers(on),
        acceptor(*on.front()),
        house(std::make_shared<House>(channels, std::move(counters))) {}

  const Workers workers;
  std::size_t turn = 0;  // of which worker the next connection is
  net::Acceptor acceptor;
  const std::shared_ptr<House> house;
  RefusalLog refusal_log;
  bool stopping = false;

  void bind(const std::string& address);
  void welcome(asio::io_context& io, net::TcpSocket socket, const asio::ip::address& from);
  void note_refused(std::string_view peer, std::string_view why);
  static net::Task<void> accept_loop(std::shared_ptr<Impl> self);
};

void RtmpListener::Impl::bind(const std::string& address) {
  auto at = net::parse_address(address);
  try {
    acceptor.open(at.protocol());
    acceptor.set_option(net::Acceptor::reuse_address(true));
    acceptor.bind(at);
    acceptor.listen();
  } catch (const boost::system::system_error& error) {
    throw std::runtime_error(
        fmt::format("cannot listen on {}: {}", address, error.code().message()));
  }
}

void RtmpListener::Impl::note_refused(std::string_view peer, std::string_view why) {
  house->counters.refused.add();
  auto left_out = refusal_log.line(steady_now());
  if (!left_out) return;
  log::warn("cannot take a publisher",
            {kv("peer", peer), kv("why", why), kv("not_logged_before", *left_out)});
}

void RtmpListener::Impl::welcome(asio::io_context& io, net::TcpSocket socket,
                                 const asio::ip::address& from) {
  std::string peer = from.to_string();
  auto place = Doorstep::enter(house->doorstep, peer_of(from));
  if (!place) return note_refused(peer, "too many of its connections do not publish");
  net::tune(socket);
  ++house->connections;
  if (!house->tls) {
    net::spawn(io, attend(io, house, std::move(socket), std::move(peer), std::move(place)));
    return;
  }
  TlsStream stream(std::move(socket), *house->tls);
  net::spawn(io, attend(io, house, std::move(stream), std::move(peer), std::move(place)));
}

net::Task<void> RtmpListener::Impl::accept_loop(std::shared_ptr<Impl> self) {
  while (!self->stopping) {
    asio::ip::tcp::endpoint from;
    asio::io_context& io = *self->workers[self->turn++ % self->workers.size()];
    auto [error, socket] =
        co_await self->acceptor.async_accept(io.get_executor(), from, use_result);
    if (error == asio::error::operation_aborted) co_return;
    if (error || self->house->connections >= limits::publishers_max) {
      self->note_refused(from.address().to_string(),
                         error ? error.message() : "too many connections");
      net::Timer pause(*self->workers.front(), std::chrono::milliseconds(100));
      co_await pause.async_wait(use_result);
      continue;
    }
    self->welcome(io, std::move(socket), from.address());
  }
}

RtmpListener::RtmpListener(const Workers& workers, const std::string& address, const RtmpTls& tls,
                           const Channels& channels, Metrics& metrics) {
  std::string label = tls.certificate.empty() ? "protocol=\"rtmp\"" : "protocol=\"rtmps\"";
  RtmpCounters counters{
      metrics.gauge("origin_live_publishers", "Publishers that are connected.", label),
      metrics.counter("origin_live_refused_total", "Publishers that were refused.", label),
      metrics.counter("origin_live_received_bytes_total", "Bytes that publishers sent.", label)};
  impl_ = std::make_shared<Impl>(workers, channels, counters);
  impl_->house->tls = make_context(tls);
  impl_->bind(address);
  net::spawn(*workers.front(), Impl::accept_loop(impl_));
}

RtmpListener::~RtmpListener() = default;

unsigned short RtmpListener::port() const {
  return impl_->acceptor.local_endpoint().port();
}

void RtmpListener::stop() {
  impl_->stopping = true;
  boost::system::error_code ignored;
  impl_->acceptor.close(ignored);
}

}  // namespace relay::origin::live
