// Where copying a cached body into the same write as its head stops being cheaper than sendfile:
// the line edge::copied_body_bytes_max. CPU time of the sender alone, over loopback.
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bench/words.hpp"

namespace {

constexpr const char* help =
    "copy_or_sendfile: microseconds of sender CPU for an answer of a head and a body\n"
    "  --quick      fewer answers\n"
    "  --json FILE  {\"rows\": [{bytes, copy_us, sendfile_us, cold_copy_us, "
    "cold_sendfile_us}]}\n"
    "  --help       this text\n"
    "copy: one sendmsg of the head and of the mapped body. sendfile: sendmsg of the head with\n"
    "MSG_MORE, then sendfile. The same body each time, and (cold) one after the other of 256 MB\n"
    "that are in memory, but in no cache of the processor. Medians of five interleaved rounds.\n";

constexpr std::size_t head_bytes = 400;
constexpr std::size_t body_bytes_max = 128 * 1024;
constexpr std::size_t page_bytes = 4096;
constexpr std::size_t file_bytes = 256 << 20;

double cpu_s() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

void require(bool good, const char* what) {
  if (good) return;
  std::perror(what);
  std::exit(1);
}

/// A connected pair over loopback TCP.
std::pair<int, int> connect_pair() {
  int door = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  require(::bind(door, reinterpret_cast<sockaddr*>(&at), size) == 0, "bind");
  require(::listen(door, 1) == 0, "listen");
  ::getsockname(door, reinterpret_cast<sockaddr*>(&at), &size);
  int client = ::socket(AF_INET, SOCK_STREAM, 0);
  require(::connect(client, reinterpret_cast<sockaddr*>(&at), size) == 0, "connect");
  int server = ::accept(door, nullptr, nullptr);
  ::close(door);
  int on = 1;
  ::setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return {server, client};
}

/// A file of bodies that is in memory.
struct Bodies {
  Bodies() : file(::fileno(std::tmpfile())) {
    std::string block(1 << 20, 'b');
    for (std::size_t done = 0; done < file_bytes; done += block.size()) {
      require(::write(file, block.data(), block.size()) > 0, "write");
    }
    void* mapped = ::mmap(nullptr, file_bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, file, 0);
    require(mapped != MAP_FAILED, "mmap");
    map = static_cast<char*>(mapped);
  }
  /// Where the next one begins: as in LMDB's file, behind a page's header.
  std::size_t next(bool cold) {
    if (cold) at = (at + body_bytes_max + page_bytes) % (file_bytes - 2 * body_bytes_max);
    return at / page_bytes * page_bytes + 16;
  }

  int file;
  char* map = nullptr;
  std::size_t at = 0;
};

void send_copied(int socket, std::string& head, char* body, std::size_t bytes) {
  iovec pieces[2] = {{head.data(), head.size()}, {body, bytes}};
  msghdr message{};
  message.msg_iov = pieces;
  message.msg_iovlen = 2;
  require(::sendmsg(socket, &message, 0) == static_cast<ssize_t>(head.size() + bytes), "sendmsg");
}

void send_from_file(int socket, std::string& head, int file, std::size_t at, std::size_t bytes) {
  require(::send(socket, head.data(), head.size(), MSG_MORE) > 0, "send");
  auto offset = static_cast<off_t>(at);
  for (std::size_t left = bytes; left > 0;) {
    ssize_t sent = ::sendfile(socket, file, &offset, left);
    require(sent > 0, "sendfile");
    left -= static_cast<std::size_t>(sent);
  }
}

/// Microseconds of this thread's CPU an answer; the other end reads and acknowledges each.
template <class Send>
double measure(int answers, std::size_t bytes, Send send) {
  auto [server, client] = connect_pair();
  std::thread reader([client = client, answers, bytes] {
    std::vector<char> sink(body_bytes_max + head_bytes);
    for (int i = 0; i < answers; ++i) {
      require(::recv(client, sink.data(), head_bytes + bytes, MSG_WAITALL) > 0, "recv");
      require(::send(client, "x", 1, 0) == 1, "send");
    }
  });
  double begun = cpu_s();
  char turn;
  for (int i = 0; i < answers; ++i) {
    send(server);
    require(::recv(server, &turn, 1, 0) == 1, "recv");
  }
  double took = cpu_s() - begun;
  reader.join();
  ::close(server);
  ::close(client);
  return took * 1e6 / answers;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

struct Row {
  double copy_us = 0, sendfile_us = 0;
};

Row compare(Bodies& bodies, std::string& head, std::size_t size, int answers, bool cold) {
  std::vector<double> copied, from_file;
  for (int round = 0; round < 5; ++round) {
    copied.push_back(measure(answers, size, [&](int socket) {
      send_copied(socket, head, bodies.map + bodies.next(cold), size);
    }));
    from_file.push_back(measure(answers, size, [&](int socket) {
      send_from_file(socket, head, bodies.file, bodies.next(cold), size);
    }));
  }
  return {median(copied), median(from_file)};
}

}  // namespace

int main(int count, char** words) {
  auto read = relay::bench::read_words(count, words, help);
  if (read.stop) return *read.stop;
  int answers = read.quick ? 500 : 4000;
  Bodies bodies;
  std::string head(head_bytes, 'h');
  std::vector<std::string> rows;
  fmt::print("{:>8} {:>10} {:>12} {:>10} {:>12}\n", "bytes", "copy us", "sendfile us", "cold copy",
             "sendfile us");
  for (std::size_t size : {1024, 4096, 8192, 16384, 24576, 32768, 49152, 65536, 131056}) {
    Row hot = compare(bodies, head, size, answers, false);
    Row cold = compare(bodies, head, size, answers, true);
    fmt::print("{:>8} {:>10.2f} {:>12.2f} {:>10.2f} {:>12.2f}\n", size, hot.copy_us,
               hot.sendfile_us, cold.copy_us, cold.sendfile_us);
    rows.push_back(
        fmt::format("{{\"bytes\": {}, \"copy_us\": {:.2f}, \"sendfile_us\": {:.2f}, "
                    "\"cold_copy_us\": {:.2f}, \"cold_sendfile_us\": {:.2f}}}",
                    size, hot.copy_us, hot.sendfile_us, cold.copy_us, cold.sendfile_us));
  }
  return !read.json || relay::bench::write_rows(read.json, rows) ? 0 : 1;
}
