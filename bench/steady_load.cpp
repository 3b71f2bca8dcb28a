// Normal clients for bench/attack: requests at a fixed rate, whatever the server does meanwhile, on
// connections that are kept for a while. wrk asks as fast as it is answered, so what it measures
// changes with the server's speed; a wait that should not be there it does not even count.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr const char* help =
    "steady_load PORT PATH REQUESTS_PER_S SECONDS CONNECTIONS\n"
    "Asks 127.0.0.1:PORT for PATH at a fixed rate and prints {\"errors\", \"waits_us\"}, the waits "
    "of all that was answered.\n"
    "A request that finds all connections busy waits, and the wait counts. Each connection is\n"
    "replaced after 50 answers; connecting counts too. An error is a wrong answer or a lost one.\n";

constexpr int answers_of_a_connection = 50;
constexpr auto patience = 5s;  // for what is still out at the end

struct Client {
  int fd = -1;
  bool busy = false, connecting = false;
  int answers = 0;
  Clock::time_point begun{};
  std::string got;
};

class Load {
 public:
  Load(int port, const std::string& path, std::size_t connections)
      : request_("GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n"), clients_(connections) {
    to_.sin_family = AF_INET;
    to_.sin_port = htons(static_cast<std::uint16_t>(port));
    to_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    watch(timer_, clients_.size(), EPOLLIN);
  }

  void run(double rate, double seconds) {
    auto gap = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / rate));
    auto begin = Clock::now(), next = begin;
    auto end =
        begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    while (next < end || out_ > 0 || !due_.empty()) {
      auto now = Clock::now();
      if (now > end + patience) break;
      for (; next <= now && next < end; next += gap) ask(next, now);
      wait_until(next < end ? next : now + 100ms);
    }
    errors_ += out_ + due_.size();
  }

  void print() {
    fmt::print("{{\"errors\": {}, \"waits_us\": [{:.1f}]}}\n", errors_, fmt::join(waits_us_, ","));
  }

 private:
  void watch(int fd, std::size_t index, std::uint32_t events) {
    epoll_event event{events, {.u64 = index}};
    epoll_ctl(poll_, EPOLL_CTL_ADD, fd, &event);
  }

  /// Our own lateness is not the server's: only a request that had to wait counts from when it was
  /// due.
  void ask(Clock::time_point due, Clock::time_point now) {
    auto free = std::ranges::find_if(clients_, [](const Client& each) { return !each.busy; });
    if (free == clients_.end()) return due_.push_back(due);
    begin(*free, now);
  }

  void begin(Client& client, Clock::time_point begun) {
    ++out_;
    client.busy = true;
    client.begun = begun;
    client.got.clear();
    if (client.fd < 0) {
      client.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      client.connecting = ::connect(client.fd, reinterpret_cast<sockaddr*>(&to_), sizeof to_) != 0;
      watch(client.fd, static_cast<std::size_t>(&client - clients_.data()),
            EPOLLIN | EPOLLOUT | EPOLLET);
    }
    if (!client.connecting) send(client);
  }

  void send(Client& client) { ::send(client.fd, request_.data(), request_.size(), MSG_NOSIGNAL); }

  void end(Client& client, bool good) {
    --out_;
    if (good) {
      std::chrono::duration<double, std::micro> wait = Clock::now() - client.begun;
      waits_us_.push_back(wait.count());
    } else {
      ++errors_;
    }
    client.busy = client.connecting = false;
    if (!good || ++client.answers == answers_of_a_connection) {
      ::close(client.fd);
      client.fd = -1;
      client.answers = 0;
    }
    if (due_.empty()) return;
    auto due = due_.front();
    due_.pop_front();
    begin(client, due);
  }

  void take(Client& client) {
    char piece[65536];
    ssize_t n;
    while ((n = ::recv(client.fd, piece, sizeof piece, 0)) > 0) client.got.append(piece, n);
    bool lost = n == 0 || (n < 0 && errno != EAGAIN);
    std::size_t head = client.got.find("\r\n\r\n");
    if (head != std::string::npos) {
      constexpr std::string_view name = "Content-Length: ";
      std::size_t at = client.got.find(name), length = 0;
      const char* digits = client.got.data() + at + name.size();
      if (at < head) std::from_chars(digits, client.got.data() + head, length);
      if (client.got.size() < head + 4 + length && !lost) return;
      return end(client, client.got.starts_with("HTTP/1.1 200 ") && !lost);
    }
    if (lost) end(client, false);
  }

  void wait_until(Clock::time_point when) {
    auto ns = std::max<std::int64_t>(1, std::chrono::nanoseconds(when - Clock::now()).count());
    itimerspec spec{{}, {ns / 1'000'000'000, ns % 1'000'000'000}};
    timerfd_settime(timer_, 0, &spec, nullptr);
    epoll_event events[64];
    int count = epoll_wait(poll_, events, 64, -1);
    for (int i = 0; i < count; ++i) {
      std::size_t index = events[i].data.u64;
      if (index == clients_.size()) {
        std::uint64_t times;
        if (::read(timer_, &times, sizeof times) < 0) continue;
        continue;
      }
      Client& client = clients_[index];
      if (client.fd < 0) continue;
      if (client.connecting && events[i].events & EPOLLOUT) {
        client.connecting = false;
        send(client);
      }
      if (client.busy) {
        take(client);
      } else if (events[i].events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR)) {
        ::close(client.fd);  // the server ended it between two requests, as it may
        client.fd = -1;
        client.answers = 0;
      }
    }
  }

  std::string request_;
  std::vector<Client> clients_;
  sockaddr_in to_{};
  int poll_ = epoll_create1(0);
  int timer_ = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  std::deque<Clock::time_point> due_;
  std::vector<double> waits_us_;
  std::size_t out_ = 0, errors_ = 0;
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 6) {
    fmt::print("{}", help);
    return count == 2 && std::string_view(arguments[1]) == "--help" ? 0 : 2;
  }
  Load load(std::atoi(arguments[1]), arguments[2],
            static_cast<std::size_t>(std::atoi(arguments[5])));
  load.run(std::atof(arguments[3]), std::atof(arguments[4]));
  load.print();
}
