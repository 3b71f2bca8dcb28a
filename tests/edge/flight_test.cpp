// Flights from their readers' side: several threads, any offset, any end.
#include "edge/flight.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>

#include "common/base/limits.hpp"

namespace relay::edge {
namespace {

StoredPtr some_response() {
  http::Headers headers{{"Cache-Control", "max-age=60"}};
  return std::make_shared<const StoredResponse>(make_stored(200, headers, WallTime{}, WallTime{}));
}

void feed(Flight& flight, std::string_view bytes) {
  while (!bytes.empty()) {
    std::span<char> room = flight.room();
    std::size_t n = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), n);
    flight.append(n);
    bytes.remove_prefix(n);
  }
}

struct Read {
  std::string body;
  FlightState end = FlightState::asking;
};

net::Task<void> read(Flight& flight, std::uint64_t offset, Read& into) {
  while (true) {
    std::uint64_t version = flight.changed().version();
    FlightView view = flight.view();
    std::string_view bytes = flight.bytes_at(offset);
    if (!bytes.empty()) {
      into.body += bytes;
      offset += bytes.size();
      continue;
    }
    bool under_way = view.state == FlightState::asking || view.state == FlightState::streaming;
    if (!under_way) {
      into.end = view.state;
      co_return;
    }
    co_await flight.changed().wait(version);
  }
}

std::string pattern(std::size_t n) {
  std::string bytes(n, '\0');
  for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<char>(i * 131 + i / 251);
  return bytes;
}

TEST(FlightTable, those_who_wait_for_one_flight_are_bounded) {
  FlightMemory memory(1 << 20);
  FlightTable flights;
  std::vector<FlightTable::Joined> waiting;
  while (waiting.size() < limits::waiters_max) {
    waiting.push_back(flights.join("/crowd", 0, memory));
    ASSERT_TRUE(waiting.back().flight) << waiting.size();
  }
  auto refused = flights.join("/crowd", 0, memory);
  EXPECT_FALSE(refused.flight);
  EXPECT_FALSE(refused.leader);
  EXPECT_TRUE(flights.join("/other", 0, memory).leader);
  waiting.pop_back();
  EXPECT_TRUE(flights.join("/crowd", 0, memory).flight);
}

TEST(FlightTable, keys_that_cannot_be_shared_are_remembered_until_they_can) {
  FlightTable flights;
  WallTime now{std::chrono::hours(1)}, until = now + std::chrono::seconds(10);
  flights.remember_unshared("/a", until);
  flights.remember_unshared("/b", until);
  flights.forget_unshared("/a");
  EXPECT_FALSE(flights.unshared("/a", now));
  EXPECT_TRUE(flights.unshared("/b", now));
  EXPECT_FALSE(flights.unshared("/b", until));
}

TEST(Flight, of_beginnings_that_are_offered_the_longest_is_taken_once) {
  FlightMemory memory(1 << 20);
  Flight flight("/a", 0, memory);
  EXPECT_FALSE(flight.take_offer(0));
  flight.offer({"edge-2", 500, "\"a\""});
  flight.offer({"edge-3", 900, "\"a\""});
  flight.offer({"edge-4", 700, "\"a\""});
  flight.begin_body(some_response(), "/a", {}, 1000);
  feed(flight, pattern(400));
  EXPECT_FALSE(flight.take_offer(501)) << "900 is 500 more than what has come";
  auto taken = flight.take_offer(500);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->member, "edge-3");
  EXPECT_EQ(taken->bytes, 900u);
  EXPECT_FALSE(flight.take_offer(0));
}

TEST(FlightTable, a_flight_is_found_until_it_leaves) {
  FlightMemory memory(1 << 20);
  FlightTable flights;
  EXPECT_FALSE(flights.find("/a"));
  auto joined = flights.join("/a", 0, memory);
  EXPECT_EQ(flights.find("/a"), joined.flight);
  EXPECT_FALSE(flights.find("/b"));
  flights.disown_if([](const Flight& flight) { return flight.key() == "/a"; });
  EXPECT_FALSE(flights.find("/a")) << "what was purged is not held";
}

TEST(Flight, what_is_reserved_counts_before_the_head_comes_and_only_once) {
  FlightMemory memory(1000);
  {
    Flight flight("/a", 0, memory);
    flight.reserve(600);
    EXPECT_FALSE(memory.has_room(600));
    flight.begin_body(some_response(), "/a", {}, 700);
    EXPECT_EQ(memory.used(), 700u);
  }
  EXPECT_EQ(memory.used(), 0u);
}

TEST(Flight, ReadersOnOtherThreadsSeeEveryByteFromTheirOffset) {
  FlightMemory memory(64 << 20);
  Flight flight("/a", 0, memory);
  std::string body = pattern(3 * limits::chunk_bytes + 1234);
  std::vector<Read> reads(6);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < reads.size(); ++i) {
    threads.emplace_back([&, i] {
      net::asio::io_context io;
      net::spawn(io, read(flight, i * 70'000, reads[i]));
      io.run();
    });
  }
  flight.begin_body(some_response(), "/a", "", body.size());
  for (std::size_t at = 0; at < body.size(); at += 10'007) {
    feed(flight, std::string_view(body).substr(at, 10'007));
  }
  flight.complete();
  for (auto& thread : threads) thread.join();
  for (std::size_t i = 0; i < reads.size(); ++i) {
    EXPECT_EQ(reads[i].end, FlightState::complete);
    EXPECT_TRUE(reads[i].body == body.substr(i * 70'000)) << i;
  }
  EXPECT_EQ(flight.digest(), digest128(body));
}

TEST(Flight, AFailureWakesWhoeverWaits) {
  FlightMemory memory(1 << 20);
  Flight flight("/a", 0, memory);
  Read got;
  std::thread reader([&] {
    net::asio::io_context io;
    net::spawn(io, read(flight, 0, got));
    io.run();
  });
  flight.begin_body(some_response(), "/a", "", 10);
  feed(flight, "abc");
  flight.fail({ErrorKind::aborted, ErrorSource::upstream, true, "reset"});
  reader.join();
  EXPECT_EQ(got.body, "abc");
  EXPECT_EQ(got.end, FlightState::failed);
  EXPECT_EQ(flight.view().error->kind, ErrorKind::aborted);
}

TEST(Flight, ItsMemoryIsCountedAndGivenBack) {
  FlightMemory memory(200'000);
  {
    Flight flight("/a", 0, memory);
    flight.begin_body(some_response(), "/a", "", 1000);
    feed(flight, std::string(1000, 'x'));
    EXPECT_EQ(memory.used(), 1000u);
    EXPECT_TRUE(memory.has_room(199'000));
    EXPECT_FALSE(memory.has_room(199'001));
  }
  EXPECT_EQ(memory.used(), 0u);
}

TEST(FlightTable, OneLeaderAKeyUntilItLeaves) {
  FlightMemory memory(1 << 20);
  FlightTable table;
  auto first = table.join("/a", 0, memory);
  auto second = table.join("/a", 0, memory);
  EXPECT_TRUE(first.leader);
  EXPECT_FALSE(second.leader);
  EXPECT_EQ(first.flight, second.flight);
  EXPECT_TRUE(table.join("/b", 0, memory).leader);
  table.leave(*first.flight);
  auto third = table.join("/a", 0, memory);
  EXPECT_TRUE(third.leader);
  table.leave(*first.flight);  // the old one again: must not remove the new one
  EXPECT_FALSE(table.join("/a", 0, memory).leader);
}

TEST(FlightTable, ManyThreadsMakeOneLeader) {
  FlightMemory memory(1 << 20);
  FlightTable table;
  std::atomic<int> leaders{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int key = 0; key < 200; ++key) {
        if (table.join("/" + std::to_string(key), 0, memory).leader) ++leaders;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(leaders.load(), 200);
  EXPECT_EQ(table.size(), 200u);
}

TEST(FlightTable, APurgeDisownsWhatMatches) {
  FlightMemory memory(1 << 20);
  FlightTable table;
  auto doomed = table.join("/t/a/1.m4s", 0, memory);
  auto other = table.join("/t/b/1.m4s", 0, memory);
  table.disown_if([](const Flight& flight) { return flight.key().starts_with("/t/a/"); });
  EXPECT_TRUE(doomed.flight->disowned());
  EXPECT_FALSE(other.flight->disowned());
  EXPECT_TRUE(table.join("/t/a/1.m4s", 0, memory).leader);
  EXPECT_FALSE(table.join("/t/b/1.m4s", 0, memory).leader);
}

TEST(FlightTable, KeysThatCannotBeSharedAreRememberedForAWhile) {
  FlightTable table;
  WallTime now{std::chrono::seconds(1000)};
  EXPECT_FALSE(table.unshared("/a", now));
  table.remember_unshared("/a", now + std::chrono::seconds(10));
  EXPECT_TRUE(table.unshared("/a", now + std::chrono::seconds(9)));
  EXPECT_FALSE(table.unshared("/a", now + std::chrono::seconds(10)));
}

}  // namespace
}  // namespace relay::edge
