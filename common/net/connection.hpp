// One upstream connection: connect, send a request, read its answer's head. Used by the client's
// pool; knows nothing of pools itself.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "common/http/head.hpp"
#include "common/net/body_reader.hpp"
#include "common/net/client.hpp"
#include "common/net/output.hpp"

namespace relay::net {

class Connection final : public Watched {
 public:
  Connection(asio::io_context& io, Endpoint endpoint);
  Connection(const Connection&) = delete;

  Task<Result<void>> connect(std::chrono::milliseconds wait);
  Task<Result<void>> send(const ClientRequest& request);
  /// Afterwards body() reads what follows. Interim answers before it are told to who asked.
  Task<Result<http::ResponseHead>> read_head(const ClientRequest& request,
                                             std::chrono::milliseconds wait);
  BodyReader& body() { return body_; }
  const Endpoint& endpoint() const { return endpoint_; }
  http::BodyFraming framing() const { return framing_; }
  /// Nothing of the present answer has arrived yet.
  bool silent() const { return silent_; }
  /// The answer ended where it should, nothing odd followed, and the peer lets us go on.
  bool reusable() const;
  /// For an idle one: neither closed by the peer nor with unasked bytes.
  bool alive();
  void close();

  void expire() override;
  void drain() override;
  bool given_up() const override {
    auto is_set = [](const auto& flag) { return flag && flag->load(std::memory_order_acquire); };
    return socket_.is_open() && std::ranges::any_of(given_up_when, is_set);
  }
  bool idle = false;
  SteadyTime idle_since{};
  GivenUpFlags given_up_when;  // of the present request

 private:
  Task<Result<void>> connect_to(asio::ip::tcp::endpoint at);
  Task<Result<std::size_t>> fill(SteadyTime until);
  std::unexpected<Error> failure(ErrorKind kind, std::string what) const;

  asio::io_context& io_;
  Endpoint endpoint_;
  Socket socket_;
  Output output_;
  BodyReader body_;
  std::vector<char> buffer_;
  std::size_t filled_ = 0, taken_ = 0;
  http::FieldStore fields_;
  http::BodyFraming framing_;
  bool keep_alive_ = false, silent_ = true, timed_out_ = false;
};

}  // namespace relay::net
