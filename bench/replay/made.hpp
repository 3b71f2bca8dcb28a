// Traces made here, the same on every machine: traffic that no recorded trace of ours shows. The
// plans were chosen with those of no seed in view; other seeds are for judging them.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "bench/replay/trace.hpp"

namespace relay::bench {

/// drift: popularity by Zipf whose ranks change hands. scan: Zipf, and readers that walk through
/// the whole catalogue. live: newest segments of twenty channels, and some films. giants: small
/// objects, and a few popular files of 1 to 4 GB. web: many objects asked for once, the popular
/// ones small.
/// `what` is KIND or KIND:SEED, a whole number. Nothing: neither.
std::optional<Trace> make_trace(std::string_view what, std::size_t requests);

}  // namespace relay::bench
