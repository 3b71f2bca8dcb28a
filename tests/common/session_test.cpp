// A session as its peers see it: bytes in, bytes out, over real sockets.
#include "common/net/server.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "tests/support/eventually.hpp"
#include "tests/support/tcp_peer.hpp"

namespace relay::net {
namespace {

using tests::eventually;
using tests::TcpPeer;

/// Answers by path; "/echo" gives the request's body back.
class Script final : public Handler {
 public:
  Task<void> handle(Exchange& exchange) override {
    std::string_view target = exchange.request().target;
    if (target == "/echo") {
      co_await echo(exchange);
    } else if (target == "/short") {
      co_await exchange.begin({200, {}}, 100);
      co_await exchange.write("only these");
    } else if (target == "/chunked") {
      co_await exchange.begin({200, {}}, std::nullopt);
      co_await exchange.write("ab");
      co_await exchange.write("cde");
      co_await exchange.finish();
    } else if (target == "/hints") {
      exchange.inform({103, {{"Link", "</a>"}}});
      exchange.inform({102, {}});
      co_await echo(exchange);
      exchange.inform({103, {{"Link", "</late>"}}});
    } else if (target == "/raw_hints") {
      exchange.inform({103, {{"Link", "</a>"}}});
      std::string head = exchange.head_buffer();
      head += "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n";
      co_await exchange.begin_raw(std::move(head), 200, 2, "ok");
    } else if (target == "/many_hints") {
      std::string link(1000, 'x');
      for (int i = 0; i < many_hints; ++i) exchange.inform({103, {{"Link", link}}});
      all_hints_told = true;
      co_await exchange.respond({200, {}, "the end"});
    } else if (target == "/ignore") {
      co_await exchange.respond({403, {}, "no"});
    } else {
      co_await exchange.respond({200, {{"X-Target", target}}, "hello"});
    }
  }

  static constexpr int many_hints = 20'000;
  std::atomic<bool> all_hints_told = false;

 private:
  static Task<void> echo(Exchange& exchange) {
    std::string body;
    std::vector<char> piece(7);
    while (true) {
      auto n = co_await exchange.read_body(piece);
      if (!n || *n == 0) break;
      body.append(piece.data(), *n);
    }
    co_await exchange.respond({200, {}, body});
  }
};

class SessionTest : public ::testing::Test {
 protected:
  SessionTest() : server_({{{"127.0.0.1:0", &script_}}, 2, std::chrono::milliseconds(2000)}) {
    thread_ = std::thread([this] { server_.run({}); });
  }
  ~SessionTest() override {
    server_.stop();
    thread_.join();
  }
  TcpPeer connect() { return TcpPeer::connect(server_.ports().front()); }

  Script script_;
  Server server_;
  std::thread thread_;
};

TEST_F(SessionTest, PipelinedRequestsAreAnsweredInOrder) {
  TcpPeer peer = connect();
  peer.send(
      "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  std::string all = peer.read_to_end();
  std::size_t one = all.find("X-Target: /1"), two = all.find("X-Target: /2"),
              three = all.find("X-Target: /3");
  ASSERT_NE(three, std::string::npos) << all;
  EXPECT_LT(one, two);
  EXPECT_LT(two, three);
  EXPECT_FALSE(peer.was_reset());
}

TEST_F(SessionTest, ARefusedHeadBehindAnAnsweredRequestIsAnsweredToo) {
  TcpPeer peer = connect();
  peer.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n");
  std::string all = peer.read_to_end();
  EXPECT_NE(all.find("X-Target: /1"), std::string::npos) << all;
  EXPECT_NE(all.find("HTTP/1.1 400 Bad Request"), std::string::npos) << all;
  EXPECT_FALSE(peer.was_reset());
}

TEST_F(SessionTest, HeadHasTheLengthButNoBody) {
  TcpPeer peer = connect();
  peer.send("HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  std::string all = peer.read_to_end();
  EXPECT_NE(all.find("Content-Length: 5\r\n"), std::string::npos) << all;
  EXPECT_TRUE(all.ends_with("\r\n\r\n")) << all;
}

TEST_F(SessionTest, AChunkedBodyIsReadAndTheNextRequestBehindItToo) {
  TcpPeer peer = connect();
  peer.send(
      "PUT /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n10;x=y\r\n, pipelined body\r\n0\r\nTrailer: t\r\n\r\n"
      "GET /after HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  std::string all = peer.read_to_end();
  EXPECT_NE(all.find("hello, pipelined body"), std::string::npos) << all;
  EXPECT_NE(all.find("X-Target: /after"), std::string::npos) << all;
}

TEST_F(SessionTest, ContinueIsSentOnlyWhenTheBodyIsWanted) {
  TcpPeer wanted = connect();
  wanted.send("PUT /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(wanted.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  wanted.send("ok");
  EXPECT_NE(wanted.read_until("\r\n\r\nok").find("200 OK"), std::string::npos);

  TcpPeer unwanted = connect();
  unwanted.send(
      "PUT /ignore HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  std::string answer = unwanted.read_until("no");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 403")) << answer;
}

constexpr std::string_view hints =
    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n";

TEST_F(SessionTest, InterimAnswersComeBeforeTheAnswer) {
  TcpPeer peer = connect();
  peer.send("GET /hints HTTP/1.1\r\nHost: x\r\n\r\n");
  std::string all = peer.read_until("Content-Length: 0\r\n\r\n");
  EXPECT_TRUE(all.starts_with(std::string(hints) + "HTTP/1.1 200 OK\r\n")) << all;
  peer.send("GET /raw_hints HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(peer.read_to_end(),
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
}

TEST_F(SessionTest, AnOldClientGetsNoInterimAnswers) {
  for (const char* path : {"/hints", "/raw_hints"}) {
    TcpPeer peer = connect();
    peer.send("GET " + std::string(path) + " HTTP/1.0\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(peer.read_to_end().starts_with("HTTP/1.1 200 OK\r\n")) << path;
  }
}

TEST_F(SessionTest, InterimAnswersToWhoReadsNothingAreDroppedWhole) {
  TcpPeer peer = connect();
  peer.send("GET /many_hints HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(eventually([this] { return script_.all_hints_told.load(); }));
  std::string all = peer.read_to_end();
  const std::string interim =
      "HTTP/1.1 103 Early Hints\r\nLink: " + std::string(1000, 'x') + "\r\n\r\n";
  std::size_t at = 0, count = 0;
  for (; all.compare(at, interim.size(), interim) == 0; at += interim.size()) ++count;
  EXPECT_GT(count, 0U);
  EXPECT_LT(count, std::size_t{Script::many_hints});
  EXPECT_TRUE(std::string_view(all).substr(at).starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(all.ends_with("the end"));
}

TEST_F(SessionTest, AShortAnswerResetsTheConnection) {
  TcpPeer peer = connect();
  peer.send("GET /short HTTP/1.1\r\nHost: x\r\n\r\n");
  peer.read_to_end();
  EXPECT_TRUE(peer.was_reset());
}

TEST_F(SessionTest, AnUnknownLengthIsChunkedOrEndsWithTheConnection) {
  TcpPeer peer = connect();
  peer.send("GET /chunked HTTP/1.1\r\nHost: x\r\n\r\n");
  std::string all = peer.read_until("0\r\n\r\n");
  EXPECT_NE(all.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_TRUE(all.ends_with("2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n")) << all;

  TcpPeer old = connect();
  old.send("GET /chunked HTTP/1.0\r\nHost: x\r\n\r\n");
  all = old.read_to_end();
  EXPECT_TRUE(all.ends_with("\r\n\r\nabcde")) << all;
  EXPECT_EQ(all.find("Transfer-Encoding"), std::string::npos);
}

TEST_F(SessionTest, WhatTheGateRefusesIsAnsweredAndClosed) {
  for (auto [request, status] : std::initializer_list<std::pair<const char*, const char*>>{
           {"GET / HTTP/1.1\r\n\r\n", "400"},
           {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
           {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", "501"},
           {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "400"},
           {"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", "400"},
       }) {
    TcpPeer peer = connect();
    // What follows must never be taken for a request.
    peer.send(std::string(request) + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
    peer.half_close();
    std::string all = peer.read_to_end();
    EXPECT_TRUE(all.starts_with(std::string("HTTP/1.1 ") + status)) << request << all;
    EXPECT_EQ(all.find("smuggled"), std::string::npos) << request;
  }
}

TEST_F(SessionTest, AHeadThatIsTooLargeIsRefused) {
  TcpPeer peer = connect();
  peer.send("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(40 * 1024, 'a') + "\r\n\r\n");
  EXPECT_TRUE(peer.read_to_end().starts_with("HTTP/1.1 431"));
}

TEST_F(SessionTest, AnUnreadBodyIsSkippedAndTheConnectionGoesOn) {
  TcpPeer peer = connect();
  peer.send(
      "PUT /ignore HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345"
      "GET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  std::string all = peer.read_to_end();
  EXPECT_NE(all.find("403"), std::string::npos);
  EXPECT_NE(all.find("X-Target: /next"), std::string::npos) << all;
}

TEST_F(SessionTest, IdleConnectionsEndAtOnceWhenTheServerStops) {
  TcpPeer peer = connect();
  peer.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  peer.read_until("hello");
  server_.stop();
  EXPECT_EQ(peer.read_to_end(), "");
  EXPECT_FALSE(peer.was_reset());
}

TEST(IdleWait, EndsConnectionsThatSayNothing) {
  Script script;
  ServerOptions options{{{"127.0.0.1:0", &script}}};
  options.quiet = {.buffers = std::chrono::milliseconds(200),
                   .connection = std::chrono::milliseconds(300)};
  Server server(options);
  std::thread thread([&] { server.run({}); });
  TcpPeer silent = TcpPeer::connect(server.ports().front());
  TcpPeer asked = TcpPeer::connect(server.ports().front());
  asked.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_NE(asked.read_until("hello").find("200 OK"), std::string::npos);
  for (TcpPeer* each : {&silent, &asked}) {
    EXPECT_EQ(each->read_to_end(), "");
    EXPECT_FALSE(each->timed_out());
    EXPECT_FALSE(each->was_reset());
  }
  server.stop();
  thread.join();
}

}  // namespace
}  // namespace relay::net
