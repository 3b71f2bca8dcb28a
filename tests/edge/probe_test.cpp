#include "edge/fleet/probe.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <type_traits>

#include "common/net/server.hpp"
#include "tests/support/eventually.hpp"

namespace relay::edge::fleet {
namespace {

using namespace std::chrono_literals;

/// A member that answers its health with a status that the test sets.
class Neighbour final : public net::Handler {
 public:
  net::Task<void> handle(net::Exchange& exchange) override {
    ++asked;
    http::Response response;
    response.status = exchange.request().target == health_target ? status.load() : 404;
    co_await exchange.respond(std::move(response));
  }
  std::atomic<int> status{200};
  std::atomic<int> asked{0};
};

using tests::eventually;

class Probe : public testing::Test {
 protected:
  Probe() : server_(net::ServerOptions{.listens = {{"127.0.0.1:0", &neighbour_}}}) {
    url_ = "http://127.0.0.1:" + std::to_string(server_.ports()[0]);
    thread_ = std::thread([this] { server_.run([] {}); });
  }
  ~Probe() override {
    server_.stop();
    thread_.join();
  }

  /// Runs a prober beside the server while `test` runs here.
  template <class Test>
  void probe(Members& members, Test test) {
    net::asio::io_context io(1);
    Prober prober(io, members);
    prober.start();
    std::thread runner([&] { io.run(); });
    if constexpr (std::is_invocable_v<Test>) {
      test();
    } else {
      test(io, prober);
    }
    net::asio::post(io, [&] { prober.stop(); });
    runner.join();  // stop() lets run() return
  }

  bool up(const Members& members) { return members.snapshot()->health[0].up; }

  Neighbour neighbour_;
  net::Server server_;
  std::string url_;
  std::thread thread_;
};

TEST_F(Probe, a_member_that_answers_comes_back) {
  Members members("self", {{"peer", url_, 1}, {"self", "http://127.0.0.1:1", 1}}, 20ms);
  members.report_failure("peer", steady_now());
  ASSERT_FALSE(up(members));
  probe(members, [&] { EXPECT_TRUE(eventually([&] { return up(members); })); });
}

TEST_F(Probe, a_member_that_is_not_well_stays_down_until_it_is) {
  neighbour_.status = 503;
  Members members("self", {{"peer", url_, 1}, {"self", "http://127.0.0.1:1", 1}}, 20ms);
  members.report_failure("peer", steady_now());
  probe(members, [&] {
    EXPECT_TRUE(eventually([&] { return neighbour_.asked > 3; }));
    EXPECT_FALSE(up(members));
    neighbour_.status = 200;
    EXPECT_TRUE(eventually([&] { return up(members); }));
  });
}

TEST_F(Probe, one_that_nobody_asks_is_found_out_too) {
  Members members("self", {{"peer", url_, 1}, {"self", "http://127.0.0.1:1", 1}}, 20ms);
  probe(members, [&] {
    EXPECT_TRUE(eventually([&] { return members.snapshot()->lines[0]->met.load(); }));
    EXPECT_TRUE(up(members));
    neighbour_.status = 503;
    EXPECT_TRUE(eventually([&] { return !up(members); }));
  });
}

TEST_F(Probe, another_interval_counts_at_once) {
  Members members("self", {{"peer", url_, 1}, {"self", "http://127.0.0.1:1", 1}},
                  Members::Rules(1h));
  probe(members, [&](net::asio::io_context& io, Prober& prober) {
    net::asio::post(io, [&] {
      members.set_rules(Members::Rules(20ms));
      prober.hurry();
    });
    EXPECT_TRUE(eventually([&] { return neighbour_.asked > 1; }));
  });
}

TEST_F(Probe, one_that_has_not_begun_yet_is_not_held_to_be_down) {
  neighbour_.status = 503;
  Members members("self", {{"peer", url_, 1}, {"self", "http://127.0.0.1:1", 1}}, 20ms);
  probe(members, [&] {
    EXPECT_TRUE(eventually([&] { return neighbour_.asked > 1; }));
    EXPECT_TRUE(up(members));
  });
}

}  // namespace
}  // namespace relay::edge::fleet
