// Kinds of traffic for made traces. Each appends so many requests (a few more where several come at
// once). An object's size follows from its number, so it is the same in each request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/replay/dice.hpp"
#include "bench/replay/trace.hpp"

namespace relay::bench {

std::uint64_t hash_of(std::uint64_t id);
/// Log-normal about a median.
std::uint64_t size_of(std::uint64_t hash, double median, double sigma);
/// Numbers of objects by rank, the most popular first.
std::vector<std::uint64_t> ranks(std::size_t count);
/// A request for object `id`.
void ask(std::vector<Request>& into, std::uint64_t id, double median, double sigma);

// Of clients that know nothing of each other, and of what they asked for before.
void drift(std::vector<Request>& into, std::size_t count, Dice& dice);
void scan(std::vector<Request>& into, std::size_t count, Dice& dice);
void live(std::vector<Request>& into, std::size_t count, Dice& dice);
void giants(std::vector<Request>& into, std::size_t count, Dice& dice);
void web(std::vector<Request>& into, std::size_t count, Dice& dice);

// Of clients that go from one object to the next, many at a time.
void downloads(std::vector<Request>& into, std::size_t count, Dice& dice);
void updates(std::vector<Request>& into, std::size_t count, Dice& dice);
void gallery(std::vector<Request>& into, std::size_t count, Dice& dice);
void catalogue(std::vector<Request>& into, std::size_t count, Dice& dice);

}  // namespace relay::bench
