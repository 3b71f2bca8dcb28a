// Viewers of live channels for bench/live_viewers, one connection each: those of low-latency HLS
// hold a blocking request for the next part all the time and fetch it when it is there; those of
// plain HLS come once a segment. One thread, no work a viewer but what HTTP needs.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Wall = std::chrono::system_clock;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr const char* help =
    "viewer_load PORT low-latency|plain VIEWERS PLAYLISTS PART_MS PARTS_A_SEGMENT SECONDS\n"
    "Viewers of 127.0.0.1:PORT/bench/c{i}/v1/v/index.m3u8, i below PLAYLISTS, in the order in "
    "which\n"
    "bench/live/part_origin.mjs makes their parts. Prints a JSON object: requests, bytes, errors "
    "(a\n"
    "wrong answer, a lost connection, bytes that are another part's), skipped (parts that a "
    "viewer\n"
    "was too late for), p50_ms and p99_ms from the moment at which a part was made until a viewer "
    "had\n"
    "its last byte. The first five seconds do not count.\n";

constexpr auto warm_up = 5s;  // more than a segment

struct Place {
  long segment = 0, part = 0;
};

/// The numbers of "12.3.m4s" or "12.m4s" at the beginning of a text.
Place read_place(std::string_view text) {
  Place place;
  auto end = std::from_chars(text.data(), text.data() + text.size(), place.segment).ptr;
  if (end + 1 < text.data() + text.size() && *end == '.')
    std::from_chars(end + 1, text.data() + text.size(), place.part);
  return place;
}

/// What stands behind the last `mark` of a playlist.
std::string_view behind_last(std::string_view text, std::string_view mark) {
  std::size_t at = text.rfind(mark);
  return at == std::string_view::npos ? std::string_view{} : text.substr(at + mark.size());
}

/// "12.m4s" of the last segment of a playlist: a line that is neither tag nor empty.
std::string_view last_segment(std::string_view text) {
  while (!text.empty()) {
    text.remove_suffix(text.ends_with('\n') ? 1 : 0);
    std::size_t begin = text.rfind('\n');
    begin = begin == std::string_view::npos ? 0 : begin + 1;
    std::string_view line = text.substr(begin);
    if (!line.empty() && line[0] != '#') return line;
    text = text.substr(0, begin);
  }
  return {};
}

struct Viewer {
  int fd = -1;
  std::size_t playlist = 0;
  bool wants_media = false;  // the request that is out
  Place place;               // of that media; of the newest one before
  long last = -1;            // number of the part or segment that it had last
  bool in_body = false;
  std::size_t left = 0;  // of the body
  std::string got;       // head, or a playlist's body, or the beginning of media
};

struct Setup {
  int port = 0;
  bool low_latency = true;
  std::size_t viewers = 0, playlists = 1;
  long part_ms = 500, parts = 8;
  std::chrono::seconds length{10};
};

class Audience {
 public:
  explicit Audience(const Setup& setup) : setup_(setup), viewers_(setup.viewers) {}

  void run() {
    auto begin = Clock::now();
    counts_from_ = begin + warm_up;
    auto end = counts_from_ + setup_.length;
    // They come one by one; plain ones at all moments of a segment, for they keep to theirs.
    auto spread = std::chrono::milliseconds(setup_.low_latency ? setup_.part_ms
                                                               : setup_.parts * setup_.part_ms);
    constexpr double golden = 0.6180339887498949;
    for (std::size_t i = 0; i < viewers_.size(); ++i) {
      double share = std::fmod(golden * static_cast<double>(i), 1);
      due_.push({begin + std::chrono::duration_cast<Clock::duration>(share * spread), i});
    }
    while (Clock::now() < end) turn(end);
    seconds_ = std::chrono::duration<double>(Clock::now() - counts_from_).count();
  }

  void print() {
    std::ranges::sort(late_ms_);
    auto at = [&](double share) {
      if (late_ms_.empty()) return 0.0;
      return late_ms_[static_cast<std::size_t>(share * static_cast<double>(late_ms_.size() - 1))];
    };
    fmt::print(
        "{{\"seconds\": {:.3f}, \"requests\": {}, \"media\": {}, \"bytes\": {}, \"errors\": {}, "
        "\"skipped\": {}, \"p50_ms\": {:.2f}, \"p99_ms\": {:.2f}}}\n",
        seconds_, requests_, late_ms_.size(), bytes_, errors_, skipped_, at(0.5), at(0.99));
  }

 private:
  struct Due {
    Clock::time_point at;
    std::size_t viewer;
    bool operator<(const Due& other) const { return at > other.at; }
  };

  void turn(Clock::time_point end) {
    auto now = Clock::now();
    while (!due_.empty() && due_.top().at <= now) {
      Viewer& viewer = viewers_[due_.top().viewer];
      due_.pop();
      if (viewer.fd < 0 && !open(viewer)) continue;
      ask_playlist(viewer, "");
    }
    auto until = due_.empty() ? end : std::min(end, due_.top().at);
    auto ms = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    epoll_event events[256];
    int count = epoll_wait(poll_, events, 256, static_cast<int>(std::clamp<long>(ms, 0, 100)));
    for (int i = 0; i < count; ++i) read(viewers_[events[i].data.u64]);
  }

  bool counts() const { return Clock::now() >= counts_from_; }

  bool open(Viewer& viewer) {
    std::size_t index = static_cast<std::size_t>(&viewer - viewers_.data());
    viewer = Viewer{};
    viewer.fd = ::socket(AF_INET, SOCK_STREAM, 0);
    viewer.playlist = index % setup_.playlists;
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(setup_.port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(viewer.fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
      lose(viewer);
      return false;
    }
    epoll_event event{EPOLLIN, {.u64 = index}};
    epoll_ctl(poll_, EPOLL_CTL_ADD, viewer.fd, &event);
    return true;
  }

  void lose(Viewer& viewer) {
    ++errors_;
    ::close(viewer.fd);
    viewer.fd = -1;
    due_.push({Clock::now() + 500ms, static_cast<std::size_t>(&viewer - viewers_.data())});
  }

  void send(Viewer& viewer, const std::string& name, bool media) {
    viewer.wants_media = media;
    viewer.in_body = false;
    viewer.got.clear();
    std::string request = fmt::format("GET /bench/c{}/v1/v/{} HTTP/1.1\r\nHost: bench\r\n\r\n",
                                      viewer.playlist, name);
    if (::send(viewer.fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) lose(viewer);
  }

  void ask_playlist(Viewer& viewer, const std::string& query) {
    send(viewer, "index.m3u8" + query, false);
  }

  void read(Viewer& viewer) {
    static char piece[1 << 18];
    if (viewer.fd < 0) return;
    ssize_t n = ::recv(viewer.fd, piece, sizeof piece, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return lose(viewer);
    std::string_view bytes(piece, static_cast<std::size_t>(n));
    if (counts()) bytes_ += bytes.size();
    if (!viewer.in_body) {
      viewer.got += bytes;
      if (!take_head(viewer, bytes)) return;
    }
    // Media is not kept, but for the stamp at its beginning.
    constexpr std::size_t stamp_bytes_max = 64;
    if (!viewer.wants_media || viewer.got.size() < stamp_bytes_max) viewer.got += bytes;
    viewer.left -= std::min(viewer.left, bytes.size());
    if (viewer.left == 0) end(viewer);
  }

  /// False: not whole yet, or lost. `rest` becomes what belongs to the body.
  bool take_head(Viewer& viewer, std::string_view& rest) {
    std::size_t end = viewer.got.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    std::size_t behind = viewer.got.size() - (end + 4);
    std::string_view head = std::string_view(viewer.got).substr(0, end + 2);
    constexpr std::string_view name = "Content-Length: ";
    std::size_t at = head.find(name);
    bool good = head.starts_with("HTTP/1.1 200 ") && at != std::string_view::npos;
    if (!good) {
      lose(viewer);
      return false;
    }
    std::from_chars(head.data() + at + name.size(), head.data() + head.size(), viewer.left);
    rest = rest.substr(rest.size() - behind);
    viewer.in_body = true;
    viewer.got.clear();
    return true;
  }

  void end(Viewer& viewer) {
    if (counts()) ++requests_;
    viewer.in_body = false;
    if (viewer.wants_media) return end_media(viewer);
    std::string_view text = viewer.got;
    if (setup_.low_latency) {
      std::string_view part = behind_last(text, "#EXT-X-PART:");
      std::size_t uri = part.find("URI=\"");
      if (uri == std::string_view::npos) return lose(viewer);
      viewer.place = read_place(part.substr(uri + 5));
      return send(viewer, fmt::format("{}.{}.m4s", viewer.place.segment, viewer.place.part), true);
    }
    std::string_view segment = last_segment(text);
    if (segment.empty()) return lose(viewer);
    viewer.place = read_place(segment);
    if (viewer.place.segment == viewer.last)
      return come_again(viewer, setup_.parts * setup_.part_ms / 2);
    send(viewer, std::string(segment), true);
  }

  void end_media(Viewer& viewer) {
    auto [segment, part] = viewer.place;
    std::string stamp = setup_.low_latency
                            ? fmt::format("c{} {}.{}\n", viewer.playlist, segment, part)
                            : fmt::format("c{} {}\n", viewer.playlist, segment);
    if (!viewer.got.starts_with(stamp)) ++errors_;
    long number = setup_.low_latency ? segment * setup_.parts + part : segment;
    if (counts()) {
      note(viewer, setup_.low_latency ? number : (segment + 1) * setup_.parts - 1);
      if (viewer.last >= 0)
        skipped_ += static_cast<std::size_t>(std::max<std::int64_t>(0, number - viewer.last - 1));
    }
    viewer.last = number;
    if (!setup_.low_latency) return come_again(viewer, setup_.parts * setup_.part_ms);
    bool ends = part + 1 == setup_.parts;
    ask_playlist(viewer, fmt::format("?_HLS_msn={}&_HLS_part={}&_HLS_skip=YES",
                                     segment + (ends ? 1 : 0), ends ? 0 : part + 1));
  }

  void come_again(Viewer& viewer, long ms) {
    due_.push({Clock::now() + std::chrono::milliseconds(ms),
               static_cast<std::size_t>(&viewer - viewers_.data())});
  }

  /// Part k of playlist i is made at (k + 1 + i / playlists) × part_ms of Unix time.
  void note(const Viewer& viewer, long part) {
    double made_ms = (static_cast<double>(part + 1) + static_cast<double>(viewer.playlist) /
                                                          static_cast<double>(setup_.playlists)) *
                     static_cast<double>(setup_.part_ms);
    std::chrono::duration<double, std::milli> now = Wall::now().time_since_epoch();
    late_ms_.push_back(now.count() - made_ms);
  }

  Setup setup_;
  std::vector<Viewer> viewers_;
  std::priority_queue<Due> due_;  // who asks for a playlist when
  int poll_ = epoll_create1(0);
  Clock::time_point counts_from_{};
  std::vector<double> late_ms_;
  double seconds_ = 0;
  std::size_t requests_ = 0, bytes_ = 0, errors_ = 0, skipped_ = 0;
};

}  // namespace

int main(int count, char** words) {
  if (count != 8) {
    fmt::print("{}", help);
    return count == 2 && std::string_view(words[1]) == "--help" ? 0 : 2;
  }
  Audience audience({.port = std::atoi(words[1]),
                     .low_latency = std::string_view(words[2]) == "low-latency",
                     .viewers = static_cast<std::size_t>(std::atoi(words[3])),
                     .playlists = static_cast<std::size_t>(std::atoi(words[4])),
                     .part_ms = std::atol(words[5]),
                     .parts = std::atol(words[6]),
                     .length = std::chrono::seconds(std::atoi(words[7]))});
  audience.run();
  audience.print();
}
