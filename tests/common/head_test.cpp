// The framing gate: what is read, and what is refused with which status.
#include "common/http/head.hpp"

#include <gtest/gtest.h>

#include <string>

namespace relay::http {
namespace {

struct Case {
  const char* what;
  std::string head;
  int status;  // 0: accepted
};

std::string request(std::string_view lines) {
  return "GET /a HTTP/1.1\r\nHost: h\r\n" + std::string(lines) + "\r\n";
}

int judge(std::string_view head) {
  FieldStore store;
  auto read = read_request_head(head, store);
  return read ? 0 : read.error().status;
}

TEST(RequestHead, ReadsWhatABrowserSends) {
  std::string head =
      "GET /demo/match/index.m3u8?x=1 HTTP/1.1\r\nHost: cdn.example:7101\r\n"
      "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0\r\nAccept: \t */* \t\r\n"
      "X-Empty:\r\nX-Latin: caf\xc3\xa9\r\nConnection: keep-alive\r\n\r\n";
  FieldStore store;
  auto read = read_request_head(head, store);
  ASSERT_TRUE(read) << read.error().reason;
  EXPECT_EQ(read->method, "GET");
  EXPECT_EQ(read->target, "/demo/match/index.m3u8?x=1");
  EXPECT_EQ(read->minor_version, 1);
  EXPECT_EQ(read->body.kind, BodyKind::none);
  EXPECT_TRUE(read->keep_alive);
  ASSERT_EQ(read->fields.size(), 6u);
  EXPECT_EQ(find(read->fields, "host"), "cdn.example:7101");
  EXPECT_EQ(find(read->fields, "ACCEPT"), "*/*");
  EXPECT_EQ(find(read->fields, "x-empty"), "");
  EXPECT_EQ(find(read->fields, "x-latin"), "caf\xc3\xa9");
}

TEST(RequestHead, Framing) {
  const Case cases[] = {
      {"unknown coding", request("Transfer-Encoding: blegh\r\n"), 501},
      {"gzip, chunked", request("Transfer-Encoding: gzip, chunked\r\n"), 501},
      {"chunked, identity", request("Transfer-Encoding: chunked, identity\r\n"), 501},
      {"chunked twice in a list", request("Transfer-Encoding: chunked, chunked\r\n"), 400},
      {"chunked in two fields",
       request("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
      {"gzip and chunked in two fields",
       request("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"), 400},
      {"empty coding", request("Transfer-Encoding:\r\n"), 400},
      {"comma after chunked", request("Transfer-Encoding: chunked,\r\n"), 400},
      {"odd byte before chunked",
       request("Transfer-Encoding: \xff"
               "chunked\r\n"),
       400},
      {"no-break space around chunked",
       request("Transfer-Encoding: \xa0"
               "chunked\xa0\r\n"),
       400},
      {"vertical tab before chunked",
       request("Transfer-Encoding: \x0b"
               "chunked\r\n"),
       400},
      {"tab before chunked", request("Transfer-Encoding:\tchunked\r\n"), 400},
      {"tab behind chunked", request("Transfer-Encoding: chunked \t\r\n"), 400},
      {"tab before the length", request("Content-Length: \t5\r\n"), 400},
      {"tab behind the length", request("Content-Length: 5\t\r\n"), 400},
      {"spaces around the length", request("Content-Length:   5  \r\n"), 0},
      {"quoted chunked", request("Transfer-Encoding: \"chunked\"\r\n"), 400},
      {"chunked", request("Transfer-Encoding: chunked\r\n"), 0},
      {"chunked in capitals", request("transfer-encoding: Chunked\r\n"), 0},
      {"chunked in HTTP/1.0", "POST /a HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
       400},
      {"coding, then length", request("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400},
      {"length, then coding", request("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400},
      {"length, then unknown coding", request("Content-Length: 5\r\nTransfer-Encoding: x\r\n"),
       400},
      {"length list", request("Content-Length: 5, 5\r\n"), 400},
      {"two equal lengths", request("Content-Length: 5\r\nContent-Length: 5\r\n"), 400},
      {"signed length", request("Content-Length: +5\r\n"), 400},
      {"negative length", request("Content-Length: -5\r\n"), 400},
      {"hexadecimal length", request("Content-Length: 0x5\r\n"), 400},
      {"length with a space", request("Content-Length: 5 5\r\n"), 400},
      {"empty length", request("Content-Length:\r\n"), 400},
      {"length over 63 bits", request("Content-Length: 9223372036854775808\r\n"), 400},
      {"longest length", request("Content-Length: 9223372036854775807\r\n"), 0},
  };
  for (const Case& c : cases) EXPECT_EQ(judge(c.head), c.status) << c.what;
}

TEST(RequestHead, HostAndTarget) {
  auto with_target = [](std::string target) {
    return "GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n";
  };
  const Case cases[] = {
      {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"no Host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 400},
      {"two Hosts", request("host: h\r\n"), 400},
      {"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
      {"Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
      {"Host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
      {"Host list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
      {"Host of IPv6", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 0},
      {"absolute-form", with_target("http://h/"), 400},
      {"asterisk-form", with_target("*"), 400},
      {"authority-form", with_target("h:443"), 400},
      {"no slash", with_target("!"), 400},
      {"empty target", with_target(""), 400},
      {"fragment", with_target("/a#b"), 400},
      {"space in the target", with_target("/a b"), 400},
      {"tab in the target", with_target("/a\tb"), 400},
      {"line feed in the target", with_target("/a\nb"), 400},
      {"byte above ASCII", with_target("/caf\xc3\xa9"), 400},
      {"odd but visible bytes", with_target("/a|b{c}\\\"?<>^`"), 0},
      {"longest target", with_target("/" + std::string(limits::target_bytes_max - 1, 'a')), 0},
      {"target too long", with_target("/" + std::string(limits::target_bytes_max, 'a')), 414},
  };
  for (const Case& c : cases) EXPECT_EQ(judge(c.head), c.status) << c.what;
}

TEST(RequestHead, Lines) {
  const Case cases[] = {
      {"obs-fold with a space", request("A: b\r\n c\r\n"), 400},
      {"obs-fold with a tab", request("A: b\r\n\tc\r\n"), 400},
      {"space before the first field", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400},
      {"space before the colon", request("A : b\r\n"), 400},
      {"tab before the colon", request("A\t: b\r\n"), 400},
      {"no colon", request("abc\r\n"), 400},
      {"empty name", request(": b\r\n"), 400},
      {"name with a bracket", request("A(: b\r\n"), 400},
      {"name above ASCII", request("\xc3\xa9: b\r\n"), 400},
      {"bare CR in a value", request("A: b\rc\r\n"), 400},
      {"bare LF in a value", request("A: b\nC: d\r\n"), 400},
      {"NUL in a value", request(std::string("A: b\0c\r\n", 8)), 400},
      {"NUL in a name", request(std::string("A\0: b\r\n", 7)), 400},
      {"escape byte in a value", request("A: \x1b[0m\r\n"), 400},
      {"delete byte in a value", request("A: \x7f\r\n"), 400},
      {"control byte behind sixteen others", request("A: 0123456789abcdef\x01\r\n"), 400},
      {"tab in a value", request("A: b\tc\r\n"), 0},
      {"bare LF ends the request line", "GET / HTTP/1.1\nHost: h\r\n\r\n", 400},
      {"empty line first", "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"two spaces", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"space behind the version", "GET / HTTP/1.1 \r\nHost: h\r\n\r\n", 400},
      {"no version", "GET /\r\nHost: h\r\n\r\n", 400},
      {"method with a slash", "G/T / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"CONNECT", "CONNECT /h HTTP/1.1\r\nHost: h\r\n\r\n", 501},
      {"PRI", "PRI /h HTTP/1.1\r\nHost: h\r\n\r\n", 501},
      {"method of another kind", "M-SEARCH / HTTP/1.1\r\nHost: h\r\n\r\n", 0},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", 505},
      {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505},
      {"HTTP/0.9", "GET / HTTP/0.9\r\nHost: h\r\n\r\n", 505},
      {"lower-case version", "GET / http/1.1\r\nHost: h\r\n\r\n", 400},
      {"version of two digits", "GET / HTTP/1.10\r\nHost: h\r\n\r\n", 400},
      {"TLS hello", std::string("\x16\x03\x01\x02\0\x01\r\n\r\n", 10), 400},
      {"nothing", "", 400},
      {"only the end", "\r\n\r\n", 400},
      {"cut behind the line", "GET / HTTP/1.1\r\n", 400},
      {"cut in a field", "GET / HTTP/1.1\r\nHost: h", 400},
  };
  for (const Case& c : cases) EXPECT_EQ(judge(c.head), c.status) << c.what;
}

TEST(RequestHead, NumberOfFields) {
  std::string lines;
  for (std::size_t i = 1; i < limits::header_fields_max; ++i) lines += "a: b\r\n";
  EXPECT_EQ(judge(request(lines)), 0);
  EXPECT_EQ(judge(request(lines + "a: b\r\n")), 431);
}

TEST(RequestHead, BodyIsJudgedByItsFraming) {
  FieldStore store;
  std::string with_length = request("Content-Length: 12\r\n");
  auto read = read_request_head(with_length, store);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->body.kind, BodyKind::length);
  EXPECT_EQ(read->body.length, 12u);
  std::string chunked = request("Transfer-Encoding: chunked\r\n");
  read = read_request_head(chunked, store);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->body.kind, BodyKind::chunked);
}

TEST(RequestHead, KeepAlive) {
  struct {
    const char* version;
    const char* connection;
    bool stays;
  } const cases[] = {
      {"1.1", "", true},
      {"1.1", "Connection: close\r\n", false},
      {"1.1", "Connection: x, Close\r\n", false},
      {"1.1", "Connection: x\r\nConnection: close\r\n", false},
      {"1.1", "Connection: closed\r\n", true},
      {"1.0", "", false},
      {"1.0", "Connection: Keep-Alive\r\n", true},
      {"1.0", "Connection: keep-alive, close\r\n", false},
  };
  for (const auto& c : cases) {
    FieldStore store;
    std::string head =
        std::string("GET / HTTP/") + c.version + "\r\nHost: h\r\n" + c.connection + "\r\n";
    auto read = read_request_head(head, store);
    ASSERT_TRUE(read) << head;
    EXPECT_EQ(read->keep_alive, c.stays) << head;
  }
}

TEST(HeadLength, FoundWhereverTheInputIsCut) {
  std::string head = request("Long: 0123456789abcdef0123456789abcdef\r\nCr: \r \r\n");
  std::string bytes = head + "the body\r\n\r\n";
  for (std::size_t cut = 0; cut < head.size(); ++cut) {
    std::size_t scanned = 0;
    EXPECT_EQ(head_length(std::string_view(bytes).substr(0, cut), scanned), 0u) << cut;
    EXPECT_EQ(head_length(bytes, scanned), head.size()) << cut;
  }
  std::size_t scanned = 0;
  for (std::size_t cut = 0; cut < head.size(); ++cut) {
    EXPECT_EQ(head_length(std::string_view(bytes).substr(0, cut), scanned), 0u) << cut;
  }
  EXPECT_EQ(head_length(bytes, scanned), head.size());
}

TEST(HeadLength, OnlyTwoLineEndsCount) {
  for (std::string_view bytes :
       {"GET / HTTP/1.1\nHost: h\n\n", "a\r\n\nb", "a\n\r\nb", "a\r\rb\n\n0123456789abcdef"}) {
    std::size_t scanned = 0;
    EXPECT_EQ(head_length(bytes, scanned), 0u) << bytes;
  }
}

struct Answer {
  const char* what;
  std::string head;
  std::string method;
  bool accepted;
  BodyKind kind = BodyKind::none;
  bool keep_alive = true;
};

TEST(ResponseHead, Framing) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const Answer cases[] = {
      {"length", ok + "Content-Length: 3\r\n\r\n", "GET", true, BodyKind::length},
      {"chunked", ok + "Transfer-Encoding: chunked\r\n\r\n", "GET", true, BodyKind::chunked},
      {"neither", ok + "\r\n", "GET", true, BodyKind::until_close, false},
      {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n", "GET", true, BodyKind::length,
       false},
      {"close", ok + "Content-Length: 3\r\nConnection: close\r\n\r\n", "GET", true,
       BodyKind::length, false},
      {"HEAD with a length", ok + "Content-Length: 3\r\n\r\n", "HEAD", true},
      {"HEAD with nothing", ok + "\r\n", "HEAD", true},
      {"204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n", "GET", true},
      {"304 chunked", "HTTP/1.1 304 X\r\nTransfer-Encoding: chunked\r\n\r\n", "GET", true},
      {"100", "HTTP/1.1 100 Continue\r\n\r\n", "GET", true},
      {"103", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", "GET", true},
      {"103, length 0", "HTTP/1.1 103 X\r\nContent-Length: 0\r\n\r\n", "GET", true},
      {"103, a length", "HTTP/1.1 103 X\r\nContent-Length: 3\r\n\r\n", "GET", false},
      {"103, chunked", "HTTP/1.1 103 X\r\nTransfer-Encoding: chunked\r\n\r\n", "GET", false},
      {"101", "HTTP/1.1 101 Switching Protocols\r\n\r\n", "GET", false},
      {"unknown coding", ok + "Transfer-Encoding: blegh\r\n\r\n", "GET", false},
      {"gzip with a length", ok + "Transfer-Encoding: gzip\r\nContent-Length: 5\r\n\r\n", "GET",
       false},
      {"chunked with a length", ok + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
       "GET", false},
      {"chunked, identity", ok + "Transfer-Encoding: chunked, identity\r\n\r\n", "GET", false},
      {"HTTP/1.0 chunked", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "GET", false},
      {"length list", ok + "Content-Length: 5, 5\r\n\r\n", "GET", false},
      {"two lengths on a HEAD", ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", "HEAD",
       false},
      {"tab behind chunked", ok + "Transfer-Encoding: chunked\t\r\n\r\n", "GET", false},
      {"tab before the length", ok + "Content-Length:\t5\r\n\r\n", "GET", false},
      {"obs-fold", ok + "A: b\r\n c\r\n\r\n", "GET", false},
      {"HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n", "GET", false},
      {"no version", "ICY 200 OK\r\n\r\n", "GET", false},
      {"two-digit status", "HTTP/1.1 20 OK\r\n\r\n", "GET", false},
      {"four-digit status", "HTTP/1.1 2000 OK\r\n\r\n", "GET", false},
      {"status 099", "HTTP/1.1 099 OK\r\n\r\n", "GET", false},
      {"bare LF behind the reason", "HTTP/1.1 200 OK\nA: b\r\n\r\n", "GET", false},
  };
  for (const Answer& c : cases) {
    FieldStore store;
    auto read = read_response_head(c.head, c.method, store);
    EXPECT_EQ(read.has_value(), c.accepted) << c.what;
    if (!read) continue;
    EXPECT_EQ(read->body.kind, c.kind) << c.what;
    EXPECT_EQ(read->keep_alive, c.keep_alive) << c.what;
  }
}

TEST(ResponseHead, Status) {
  for (auto [line, status] :
       {std::pair("HTTP/1.1 999 Odd\r\n\r\n", 999), std::pair("HTTP/1.1 200\r\n\r\n", 200),
        std::pair("HTTP/1.1 599 \r\n\r\n", 599)}) {
    FieldStore store;
    auto read = read_response_head(line, "GET", store);
    ASSERT_TRUE(read) << line;
    EXPECT_EQ(read->status, status);
  }
}

}  // namespace
}  // namespace relay::http
