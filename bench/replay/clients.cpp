// Kinds of traffic of many clients at a time, each of which goes from one object to the next: what
// is asked for together is asked for together again.
#include <algorithm>
#include <cmath>
#include <functional>
#include <queue>
#include <utility>

#include "bench/replay/kinds.hpp"

namespace relay::bench {
namespace {

using Requests = std::vector<Request>;

/// Goes through the parts of something, [at, end), one a `pause`.
struct Client {
  double due = 0, pause = 1;
  std::uint64_t what = 0, at = 0, end = 0;
  std::uint64_t rendition = 0;
  bool operator>(const Client& other) const { return due > other.due; }
};

/// Whose turn it is.
class Crowd {
 public:
  void join(const Client& client) { clients_.push(client); }
  Client next() {
    Client first = clients_.top();
    clients_.pop();
    return first;
  }

 private:
  std::priority_queue<Client, std::vector<Client>, std::greater<>> clients_;
};

constexpr std::uint64_t parts_max = 1 << 20;

void ask_part(Requests& into, std::uint64_t what, std::uint64_t part, std::uint64_t bytes) {
  into.push_back({hash_of(what * parts_max + part), bytes});
}

/// The parts of so many bytes that a file has; its size follows from its number.
std::uint64_t parts_of(std::uint64_t file, double median, double sigma, std::uint64_t part_bytes) {
  return 1 + size_of(hash_of(file), median, sigma) / part_bytes;
}

/// The last part of a file is shorter.
void ask_file_part(Requests& into, const Client& client, std::uint64_t parts, std::uint64_t bytes) {
  bool last = client.at + 1 == parts;
  ask_part(into, client.what, client.at, last ? 1 + hash_of(client.what) % bytes : bytes);
}

/// A pause between `least` and a hundred times that, as different as lines are.
double pause_from(double least, Dice& dice) {
  return least * std::pow(100, dice.share());
}

constexpr std::uint64_t megabyte = 1'000'000;

std::uint64_t download_pieces(std::uint64_t file) {
  return parts_of(file, 60e6, 1, megabyte);
}

/// Two in three take the whole file, the others break off; one in ten goes on where he was.
Client downloader(double due, std::uint64_t file, Dice& dice) {
  std::uint64_t pieces = download_pieces(file);
  std::uint64_t begin = dice.happens(0.1) ? dice.below(pieces) : 0;
  std::uint64_t end = dice.happens(0.67) ? pieces : begin + 1 + dice.below(pieces - begin);
  return {.due = due, .pause = pause_from(0.02, dice), .what = file, .at = begin, .end = end};
}

constexpr std::uint64_t package_part = 4 * megabyte, release_every = 150'000, devices = 48;

std::uint64_t package_parts(std::uint64_t package) {
  return parts_of(package, 200e6, 0.7, package_part);
}

/// The newest release at first for nearly everybody, later for one in four; else an older one.
std::uint64_t release_at(std::size_t request, Dice& dice) {
  std::uint64_t newest = request / release_every;
  double age = static_cast<double>(request % release_every);
  if (newest == 0 || dice.happens(0.25 + 0.7 * std::exp(-age / 40'000))) return newest;
  std::uint64_t back = 1;
  while (back < newest && dice.happens(0.4)) ++back;
  return newest - back;
}

constexpr std::uint64_t sheet = 20;  // of thumbnails, which come at once

std::uint64_t photos_of(std::uint64_t album) {
  return 10 + hash_of(album) % 80;
}

void ask_photo(Requests& into, std::uint64_t album, std::uint64_t photo, std::uint64_t form) {
  constexpr double medians[] = {12e3, 500e3, 5e6};  // thumbnail, screen, original
  ask(into, (album * 128 + photo) * 4 + form, medians[form], 0.4);
}

/// On from an album: some come back to it later, some see another one of the same owner, the others
/// leave for one of everybody's, or for one which only a few know.
Client visitor(const Client& before, const Zipf& albums, std::uint64_t& circle, Dice& dice) {
  constexpr std::uint64_t of_a_circle = 1ull << 32, owner_albums = 8, readers = 4;
  std::uint64_t album = before.what;
  double at = dice.share(), due = before.due + 20 * dice.share();
  if (before.end == 0 || at > 0.6) {
    bool few = dice.happens(0.25);
    album = few ? of_a_circle + ++circle / readers - dice.below(50) : albums.rank(dice);
  } else if (at > 0.3) {
    album = album - album % owner_albums + dice.below(owner_albums);
  } else {
    due += 300 * dice.share();
  }
  return {.due = due, .pause = 2 + 8 * dice.share(), .what = album, .end = photos_of(album)};
}

constexpr std::uint64_t day_requests = 120'000;

std::uint64_t segments_of(std::uint64_t title) {
  return 30 + hash_of(title) % 270;
}

/// Overnight some titles are praised, and some are new; either is seen at once.
void change_day(std::vector<std::uint64_t>& titles, std::uint64_t& newest, Dice& dice) {
  for (int i = 0; i < 40; ++i) {
    std::uint64_t& praised = titles[dice.below(titles.size())];
    std::swap(praised, titles[dice.below(60)]);
  }
  for (int i = 0; i < 20; ++i) titles[dice.below(100)] = newest++;
}

Client viewer(double due, std::uint64_t title, Dice& dice) {
  std::uint64_t end = segments_of(title), begin = dice.happens(0.9) ? 0 : dice.below(end);
  std::uint64_t rendition = dice.happens(0.5) ? 2 : dice.happens(0.6) ? 1 : 0;
  return {.due = due, .pause = 6, .what = title, .at = begin, .end = end, .rendition = rendition};
}

void ask_segment(Requests& into, const Client& client) {
  constexpr double medians[] = {0.6e6, 1.8e6, 4.5e6};
  ask(into, (client.what * 1024 + client.at) * 4 + client.rendition, medians[client.rendition],
      0.25);
}

}  // namespace

void downloads(Requests& into, std::size_t count, Dice& dice) {
  Zipf popularity(2000, 1);
  std::vector<std::uint64_t> files = ranks(2000);
  std::uint64_t newest = files.size();
  Crowd crowd;
  auto begin = [&](double due) {
    if (dice.below(6) == 0) files[popularity.rank(dice)] = newest++;
    crowd.join(downloader(due, files[popularity.rank(dice)], dice));
  };
  for (int i = 0; i < 300; ++i) begin(100 * dice.share());
  while (into.size() < count) {
    Client client = crowd.next();
    ask_file_part(into, client, download_pieces(client.what), megabyte);
    client.due += client.pause;
    ++client.at < client.end ? crowd.join(client) : begin(client.due);
  }
}

void updates(Requests& into, std::size_t count, Dice& dice) {
  constexpr std::uint64_t manifests = 1ull << 40, archive = 1ull << 41;
  Zipf models(devices, 0.8), documents(200'000, 0.7);
  Crowd crowd;
  auto begin = [&](double due) {
    std::uint64_t package = release_at(into.size(), dice) * devices + models.rank(dice);
    crowd.join({.due = due + dice.share(),
                .pause = pause_from(0.05, dice),
                .what = package,
                .end = package_parts(package)});
  };
  for (int i = 0; i < 400; ++i) begin(0);
  while (into.size() < count) {
    if (dice.happens(0.35)) {
      ask(into, archive + documents.rank(dice), 200e3, 1.2);
    } else if (dice.happens(0.08)) {
      ask(into, manifests + into.size() / release_every, 20e3, 0);
    } else {
      Client client = crowd.next();
      ask_file_part(into, client, package_parts(client.what), package_part);
      client.due += client.pause;
      ++client.at < client.end ? crowd.join(client) : begin(client.due);
    }
  }
}

void gallery(Requests& into, std::size_t count, Dice& dice) {
  Zipf albums(20'000, 0.8);
  std::uint64_t circle = 1000;
  Crowd crowd;
  for (int i = 0; i < 500; ++i) crowd.join(visitor({.due = dice.share()}, albums, circle, dice));
  while (into.size() < count) {
    Client client = crowd.next();
    std::uint64_t seen = client.at % sheet == 0 ? std::min(client.at + sheet, client.end) : 0;
    for (std::uint64_t i = client.at; i < seen; ++i) ask_photo(into, client.what, i, 0);
    ask_photo(into, client.what, client.at, dice.happens(0.04) ? 2 : 1);
    client.due += client.pause;
    bool stays = ++client.at < client.end && dice.happens(0.88);
    crowd.join(stays ? client : visitor(client, albums, circle, dice));
  }
}

void catalogue(Requests& into, std::size_t count, Dice& dice) {
  Zipf popularity(800, 1);
  std::vector<std::uint64_t> titles = ranks(800);
  std::uint64_t newest = titles.size(), day = 0;
  Crowd crowd;
  auto begin = [&](double due) { crowd.join(viewer(due, titles[popularity.rank(dice)], dice)); };
  for (int i = 0; i < 600; ++i) begin(600 * dice.share());
  while (into.size() < count) {
    if (into.size() / day_requests > day) ++day, change_day(titles, newest, dice);
    Client client = crowd.next();
    ask_segment(into, client);
    client.due += client.pause;
    bool leaves = dice.happens(client.at < 10 ? 0.03 : 0.004);
    if (dice.happens(0.02)) client.rendition = dice.below(3);
    ++client.at < client.end && !leaves ? crowd.join(client) : begin(client.due + 3);
  }
}

}  // namespace relay::bench
