// The upstream client against origins that keep their promises and origins that don't.
#include "common/net/client.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <optional>
#include <vector>

#include "common/base/limits.hpp"
#include "tests/support/tcp_peer.hpp"

namespace relay::net {
namespace {

using tests::TcpOrigin;
using tests::TcpPeer;

struct Got {
  Result<int> status = fail(ErrorKind::internal, ErrorSource::internal, "nothing happened");
  std::string body;
  std::optional<Error> body_error;
};

Task<void> send_one(Client& client, unsigned short port, ClientRequest request, Got& got) {
  ClientDeadlines deadlines{limits::connect_wait, std::chrono::seconds(3), std::chrono::seconds(3)};
  auto response = co_await client.send({"127.0.0.1", port}, std::move(request), deadlines);
  if (!response) {
    got.status = std::unexpected(response.error());
    co_return;
  }
  got.status = response->head().status;
  std::vector<char> piece(1000);
  while (!response->complete()) {
    auto n = co_await response->read(piece);
    if (!n) {
      got.body_error = n.error();
      break;
    }
    got.body.append(piece.data(), *n);
  }
}

Task<void> fetch(Client& client, unsigned short port, std::string method, Got& got) {
  return send_one(client, port, ClientRequest{std::move(method), "/x", {}, {}}, got);
}

/// Fetches `times` with one client, one after another.
std::vector<Got> fetch_from(unsigned short port, int times = 1, std::string method = "GET") {
  asio::io_context io;
  Client client(io);
  std::vector<Got> all(static_cast<std::size_t>(times));
  for (Got& got : all) {
    spawn(io, fetch(client, port, method, got));
    io.restart();
    while (!got.status && got.status.error().message == "nothing happened") io.run_one();
    if (got.status && !got.body_error) {
      for (int i = 0; i < 50; ++i) io.run_one_for(std::chrono::milliseconds(20));
    }
  }
  client.close_idle();
  return all;
}

TEST(Client, ReadsBodiesByLengthByChunksAndToTheClose) {
  for (const char* answer : {
           "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
           "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n\r\nhello",
       }) {
    TcpOrigin origin([answer](TcpPeer& peer) {
      peer.read_until("\r\n\r\n");
      peer.send(answer);
    });
    Got got = fetch_from(origin.port()).front();
    ASSERT_TRUE(got.status.has_value()) << got.status.error().message;
    EXPECT_EQ(*got.status, 200);
    EXPECT_EQ(got.body, "hello") << answer;
    EXPECT_FALSE(got.body_error.has_value());
  }
}

TEST(Client, ATruncatedBodyIsAnErrorNeverAnEnd) {
  for (const char* answer : {
           "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX",
       }) {
    TcpOrigin origin([answer](TcpPeer& peer) {
      peer.read_until("\r\n\r\n");
      peer.send(answer);
    });
    Got got = fetch_from(origin.port()).front();
    ASSERT_TRUE(got.body_error.has_value()) << answer;
    EXPECT_EQ(got.body_error->source, ErrorSource::upstream);
  }
}

TEST(Client, AnswersThatTheGateRefusesAreErrors) {
  for (const char* answer : {
           "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
           "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 5\r\n\r\nhello",
           "ICY 200 OK\r\n\r\n",
       }) {
    TcpOrigin origin([answer](TcpPeer& peer) {
      peer.read_until("\r\n\r\n");
      peer.send(answer);
    });
    Got got = fetch_from(origin.port()).front();
    ASSERT_FALSE(got.status.has_value()) << answer;
    EXPECT_EQ(got.status.error().kind, ErrorKind::invalid) << answer;
  }
}

struct Told {
  std::vector<int> statuses;
  std::string links;
};

/// Asks once; what is told of interim answers goes into `told`.
Got ask_for_hints(unsigned short port, Told& told) {
  asio::io_context io;
  Client client(io);
  auto on_interim = std::make_shared<const OnInterim>([&](const http::ResponseHead& head) {
    told.statuses.push_back(head.status);
    told.links += head.headers.find("Link").value_or("-");
  });
  Got got;
  spawn(io, send_one(client, port, ClientRequest{"GET", "/x", {}, {}, on_interim}, got));
  while (!got.status && got.status.error().message == "nothing happened") io.run_one();
  io.run_for(std::chrono::milliseconds(20));
  return got;
}

TEST(Client, InterimAnswersAreToldBut100) {
  TcpOrigin origin([](TcpPeer& peer) {
    peer.read_until("\r\n\r\n");
    peer.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n");
    peer.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 103 X\r\nLink: </b>\r\n\r\n");
    peer.send("HTTP/1.1 200 OK\r\nLink: </c>\r\nContent-Length: 5\r\n\r\nhello");
  });
  Told told;
  Got got = ask_for_hints(origin.port(), told);
  EXPECT_EQ(got.status.value_or(0), 200);
  EXPECT_EQ(got.body, "hello");
  EXPECT_EQ(told.statuses, (std::vector{102, 103, 103}));
  EXPECT_EQ(told.links, "-</a></b>");
}

TEST(Client, InterimAnswersHaveAnEnd) {
  std::string large = "HTTP/1.1 103 X\r\nLink: " + std::string(12'000, 'x') + "\r\n\r\n";
  for (const std::string& interim : {std::string("HTTP/1.1 102 Processing\r\n\r\n"), large}) {
    TcpOrigin origin([&](TcpPeer& peer) {
      peer.read_until("\r\n\r\n");
      while (peer.send(interim)) {
      }
    });
    Told told;
    Got got = ask_for_hints(origin.port(), told);
    ASSERT_FALSE(got.status.has_value());
    EXPECT_EQ(got.status.error().kind, ErrorKind::invalid);
    EXPECT_LE(told.statuses.size(), limits::interim_heads_max);
    EXPECT_LE(told.links.size(), limits::interim_bytes_max);
    EXPECT_GE(told.statuses.size(), 2U);
  }
}

TEST(Client, AConnectionIsReusedAndOneThatDiedIsReplaced) {
  std::atomic<int> connections{0};
  TcpOrigin origin([&](TcpPeer& peer) {
    ++connections;
    for (int i = 0; i < 2; ++i) {  // then closes, though it promised to keep alive
      if (peer.read_until("\r\n\r\n").empty()) return;
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na");
    }
  });
  for (const Got& got : fetch_from(origin.port(), 4)) {
    ASSERT_TRUE(got.status.has_value()) << got.status.error().message;
    EXPECT_EQ(got.body, "a");
  }
  EXPECT_EQ(connections.load(), 2);
}

TEST(Client, BytesBehindAnAnswerWithoutBodyEndTheConnection) {
  std::atomic<int> connections{0};
  TcpOrigin origin([&](TcpPeer& peer) {
    ++connections;
    peer.read_until("\r\n\r\n");
    peer.send("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    peer.read_until("\r\n\r\n");
  });
  for (const Got& got : fetch_from(origin.port(), 2)) EXPECT_EQ(got.status.value_or(0), 204);
  EXPECT_EQ(connections.load(), 2);
}

TEST(Client, FramingFollowsFromTheBodyThatIsSent) {
  std::promise<std::string> head;
  TcpOrigin origin([&](TcpPeer& peer) {
    head.set_value(peer.read_until("\r\n\r\n"));
    peer.send("HTTP/1.1 204 No Content\r\n\r\n");
  });
  asio::io_context io;
  Client client(io);
  ClientRequest request{"GET",
                        "/x",
                        {{"Content-Length", "74"},
                         {"transfer-encoding", "chunked"},
                         {"Expect", "100-continue"},
                         {"Accept", "*/*"}},
                        {}};
  Got got;
  spawn(io, send_one(client, origin.port(), std::move(request), got));
  io.run_for(std::chrono::seconds(2));
  EXPECT_EQ(got.status, 204);
  std::string sent = head.get_future().get();
  EXPECT_NE(sent.find("Accept: */*"), std::string::npos) << sent;
  for (const char* name : {"Content-Length", "transfer-encoding", "Expect"}) {
    EXPECT_EQ(sent.find(name), std::string::npos) << sent;
  }
}

TEST(Client, ARefusedConnectionIsUnavailableAtOnce) {
  unsigned short port;
  {
    TcpOrigin gone([](TcpPeer&) {});
    port = gone.port();
  }
  Got got = fetch_from(port).front();
  ASSERT_FALSE(got.status.has_value());
  EXPECT_EQ(got.status.error().kind, ErrorKind::unavailable);
  EXPECT_TRUE(got.status.error().retry);
}

TEST(EndpointOf, TakesHostAndPortOnly) {
  EXPECT_EQ(endpoint_of("http://127.0.0.1:7000").value(), (Endpoint{"127.0.0.1", 7000}));
  EXPECT_EQ(endpoint_of("http://edge.example/").value(), (Endpoint{"edge.example", 80}));
  EXPECT_EQ(endpoint_of("http://[::1]:9").value(), (Endpoint{"::1", 9}));
  for (const char* bad : {"", "127.0.0.1:7000", "https://a", "http://", "http://a:0", "http://a:b",
                          "http://a:70000", "http://a/b", "http://u@a", "http://a b"}) {
    EXPECT_FALSE(endpoint_of(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace relay::net
