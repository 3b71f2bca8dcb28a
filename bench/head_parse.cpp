// What reading one request head costs: our one-pass parser with the framing gate in it against
// Boost.Beast's request_parser (which has no gate), on the same bytes, in turns, in one program.
// CPU time of the thread; medians over the rounds with the least and the most.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <boost/beast/http.hpp>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "bench/words.hpp"
#include "common/http/head.hpp"

namespace {

namespace http = relay::http;
namespace beast = boost::beast;

constexpr const char* help =
    "head_parse: nanoseconds of CPU to read one request head\n"
    "  ours   find the end of the head, parse, judge the framing (common/http/head)\n"
    "  beast  Boost.Beast request_parser<empty_body>, a new one for each request, no gate\n"
    "Both read the same bytes in turns; medians over the rounds with least and most.\n"
    "  --quick      fewer rounds\n"
    "  --json FILE  {\"rows\": [{parser, head, bytes, fields, ns, ns_min, ns_max}]}\n"
    "  --help       this text\n";

struct Head {
  const char* name;
  std::string bytes;
};

std::vector<Head> heads() {
  return {
      {"curl",
       "GET /demo/match/index.m3u8 HTTP/1.1\r\nHost: 127.0.0.1:7101\r\n"
       "User-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n"},
      {"browser",
       "GET /demo/match/7/1080p/42.m4s HTTP/1.1\r\nHost: cdn.example.com\r\n"
       "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
       "Chrome/126.0.0.0 Safari/537.36\r\nAccept: */*\r\nAccept-Language: en-GB,en;q=0.9\r\n"
       "Accept-Encoding: gzip, deflate, br, zstd\r\n"
       "Referer: https://www.example.com/watch/demo/match\r\n"
       "Origin: https://www.example.com\r\nConnection: keep-alive\r\n\r\n"},
      {"browser-long",
       "GET /demo/match/7/1080p/42.m4s?_HLS_msn=42&_HLS_part=3 HTTP/1.1\r\n"
       "Host: cdn.example.com\r\nConnection: keep-alive\r\n"
       "sec-ch-ua: \"Not/A)Brand\";v=\"8\", \"Chromium\";v=\"126\"\r\nsec-ch-ua-mobile: ?0\r\n"
       "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
       "Chrome/126.0.0.0 Safari/537.36\r\nsec-ch-ua-platform: \"Linux\"\r\nAccept: */*\r\n"
       "Origin: https://www.example.com\r\nSec-Fetch-Site: cross-site\r\n"
       "Sec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n"
       "Referer: https://www.example.com/watch/demo/match\r\n"
       "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n"
       "If-None-Match: \"0123456789abcdef0123456789abcdef\"\r\n\r\n"},
  };
}

/// The number of fields, so that no work can be left out; 0 when refused.
std::size_t read_ours(std::string_view bytes, http::FieldStore& store) {
  std::size_t scanned = 0;
  std::size_t length = http::head_length(bytes, scanned);
  auto head = http::read_request_head(bytes.substr(0, length), store);
  return head ? head->fields.size() : 0;
}

std::size_t read_beast(std::string_view bytes) {
  beast::http::request_parser<beast::http::empty_body> parser;
  beast::error_code error;
  parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
  if (error || !parser.is_header_done()) return 0;
  const auto& fields = parser.get();
  return static_cast<std::size_t>(std::distance(fields.begin(), fields.end()));
}

double thread_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

/// Nanoseconds of CPU for each of `times` calls of `read`.
template <class Read>
double measure(int times, std::size_t fields, Read read) {
  double start = thread_ns();
  std::size_t total = 0;
  for (int i = 0; i < times; ++i) {
    total += read();
    asm volatile("" ::: "memory");
  }
  double took = thread_ns() - start;
  if (total != fields * static_cast<std::size_t>(times)) std::fputs("a head was misread\n", stderr);
  return took / times;
}

struct Row {
  std::string parser;
  std::string head;
  std::size_t bytes = 0;
  std::size_t fields = 0;
  std::vector<double> ns;
};

std::vector<Row> run(int rounds, int times) {
  std::vector<Row> rows;
  http::FieldStore store;
  for (const Head& head : heads()) {
    std::size_t fields = read_ours(head.bytes, store);
    Row ours{"ours", head.name, head.bytes.size(), fields, {}};
    Row theirs{"beast", head.name, head.bytes.size(), fields, {}};
    for (int round = 0; round < rounds; ++round) {
      ours.ns.push_back(measure(times, fields, [&] { return read_ours(head.bytes, store); }));
      theirs.ns.push_back(measure(times, fields, [&] { return read_beast(head.bytes); }));
    }
    for (Row* row : {&ours, &theirs}) {
      std::ranges::sort(row->ns);
      rows.push_back(std::move(*row));
    }
  }
  return rows;
}

double median(const Row& row) {
  return row.ns[row.ns.size() / 2];
}

std::string json_of(const Row& row) {
  return fmt::format(
      "{{\"parser\": \"{}\", \"head\": \"{}\", \"bytes\": {}, \"fields\": {}, \"ns\": {:.1f}, "
      "\"ns_min\": {:.1f}, \"ns_max\": {:.1f}}}",
      row.parser, row.head, row.bytes, row.fields, median(row), row.ns.front(), row.ns.back());
}

void print(const std::vector<Row>& rows) {
  fmt::print("{:<14}{:<8}{:>7}{:>8}{:>10}{:>10}{:>10}\n", "head", "parser", "bytes", "fields", "ns",
             "least", "most");
  for (const Row& row : rows) {
    fmt::print("{:<14}{:<8}{:>7}{:>8}{:>10.1f}{:>10.1f}{:>10.1f}\n", row.head, row.parser,
               row.bytes, row.fields, median(row), row.ns.front(), row.ns.back());
  }
}

}  // namespace

int main(int count, char** words) {
  auto read = relay::bench::read_words(count, words, help);
  if (read.stop) return *read.stop;
  std::vector<Row> rows = run(read.quick ? 5 : 15, 200'000);
  print(rows);
  return !read.json || relay::bench::write_rows(read.json, rows, json_of) ? 0 : 1;
}
