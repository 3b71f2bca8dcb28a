#include "edge/change_spread.hpp"

#include <algorithm>
#include <utility>

#include "common/http/problem.hpp"
#include "common/http/trail.hpp"
#include "common/net/whole_body.hpp"
#include "edge/change_letter.hpp"
#include "edge/fleet/hop.hpp"
#include "edge/fleet/peer_gate.hpp"

namespace relay::edge {
namespace {

using namespace std::chrono_literals;
const net::ClientDeadlines change_deadlines{1s, 2s, 2s};
constexpr std::size_t answer_bytes_max = 16 << 10;

}  // namespace

ChangeSpread::ChangeSpread(net::asio::io_context& io, const fleet::Members& members,
                           const fleet::PeerKey& key,
                           std::function<void(const std::string&)> forget, Metrics& metrics)
    : io_(io),
      client_(io),
      members_(members),
      key_(key),
      forget_(std::move(forget)),
      told_(metrics.counter("relay_edge_changes_told_total",
                            "keys that other members were told may have changed",
                            "outcome=\"taken\"")),
      dropped_(metrics.counter("relay_edge_changes_told_total", "", "outcome=\"dropped\"")) {
}

void ChangeSpread::tell(std::vector<std::string> keys, std::string asker) {
  net::asio::post(io_, [this, keys = std::move(keys), asker = std::move(asker)] {
    if (stopping_) return;
    http::Headers passed{{"CDN-Loop", asker}};
    auto fleet = members_.snapshot();
    for (const fleet::Member& member : fleet->members) {
      bool knows = member.name == members_.self() ||
                   http::cdn_loop_has(passed, fleet::loop_name(member.name));
      if (knows) continue;
      Line& line = lines_[member.name];
      for (const std::string& key : keys) add(line, key);
      if (!std::exchange(line.writing, true)) net::spawn(io_, write(member));
    }
    std::erase_if(lines_, [](const auto& each) { return !each.second.writing; });
  });
}

void ChangeSpread::add(Line& line, const std::string& key) {
  if (std::ranges::find(line.keys, key) != line.keys.end()) return;
  if (line.bytes + key.size() > change_keys_bytes_max) {
    dropped_.add();
    return;
  }
  line.bytes += key.size();
  line.keys.push_back(key);
}

void ChangeSpread::stop() {
  stopping_ = true;
  client_.close_idle();
}

net::Task<void> ChangeSpread::write(fleet::Member member) {
  Line& line = lines_[member.name];  // stays while it is written to
  while (!line.keys.empty() && !stopping_) {
    std::vector<std::string> keys = std::exchange(line.keys, {});
    line.bytes = 0;
    std::size_t count = keys.size();
    bool taken = co_await send(member, std::move(keys));
    (taken ? told_ : dropped_).add(count);
  }
  line.writing = false;
}

net::Task<bool> ChangeSpread::send(const fleet::Member& member, std::vector<std::string> keys) {
  auto endpoint = net::endpoint_of(member.url);
  if (!endpoint) co_return false;
  ChangeLetter letter{members_.self(), std::move(keys)};
  net::ClientRequest request{"POST", std::string(changes_target), {}, encode(letter)};
  request.headers.add("Content-Type", "application/json");
  if (!key_.empty()) {
    request.headers.add(fleet::peer_field,
                        key_.sign(members_.self(), request.method,
                                  fleet::signed_of(changes_target, request.body), wall_now()));
  }
  auto response = co_await client_.send(*endpoint, std::move(request), change_deadlines);
  if (!response) co_return false;
  int status = response->head().status;
  auto rest = co_await net::read_whole_body(*response, answer_bytes_max);
  co_return rest&& status == 204;
}

net::Task<http::Response> ChangeSpread::answer(net::Exchange& exchange) {
  if (exchange.request().method != "POST") co_return http::method_not_allowed("POST");
  auto body = co_await net::read_whole_body(exchange, change_letter_bytes_max);
  Result<void> allowed;
  if (body) {
    auto fleet = members_.snapshot();
    allowed =
        fleet::check_member(key_, exchange.peer(), exchange.request(),
                            fleet::signed_of(changes_target, *body), fleet->members, wall_now());
  } else {
    allowed = std::unexpected(body.error());
  }
  auto letter = allowed ? decode_change_letter(*body) : std::unexpected(allowed.error());
  if (!letter) co_return http::problem_of(letter.error());
  for (const std::string& key : letter->keys) forget_(key);
  co_return http::Response{204, {}, {}};
}

}  // namespace relay::edge
