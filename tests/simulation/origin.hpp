// The origin of the world: answers for things, whole, from a byte on, or that nothing changed, at
// its own pace; and writes down who asked for what.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/http/message.hpp"
#include "tests/simulation/content.hpp"
#include "tests/simulation/exchange.hpp"

namespace relay::simulation {

inline constexpr int origin_port = 7000;

/// One request at the origin.
struct Fetch {
  enum class Kind { whole, rest, slice, unchanged };
  Kind kind = Kind::whole;
  Time begun{0};
  Time ended = never;  // when its last byte was sent; never: the connection went before
  int host = 0;        // who asked
  int thing = 0, version = 0;
  std::size_t first = 0;  // byte of the body
};

class Origin {
 public:
  Origin(Schedule& schedule, Network& network, Content& content, Random random,
         std::function<void(const Fetch&)> on_fetch);
  const std::vector<Fetch>& fetches() const { return fetches_; }
  /// As some do: answers with a part of whatever version there is.
  void ignore_if_range() { minds_if_range_ = false; }

 private:
  struct Client;
  using ClientPtr = std::shared_ptr<Client>;
  void welcome();
  void hear(const ClientPtr& client);
  void answer(const ClientPtr& client, const http::RequestHead& request);
  void send_slowly(const ClientPtr& client, std::size_t fetch, std::string text,
                   std::size_t head_bytes);
  void send_next(const ClientPtr& client, std::size_t fetch, std::size_t pieces_left, Time pause);

  Schedule& schedule_;
  Network& network_;
  Content& content_;
  Random random_;
  std::function<void(const Fetch&)> on_fetch_;
  bool minds_if_range_ = true;
  SocketPtr place_;
  std::vector<ClientPtr> clients_;
  std::vector<Fetch> fetches_;
};

}  // namespace relay::simulation
