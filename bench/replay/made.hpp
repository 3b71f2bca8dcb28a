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
/// ones small. downloads: 300 clients who read files in pieces of 1 MB from the begin on, some of
/// whom break off; new files come and are popular. updates: every 150,000 requests a release, which
/// nearly everybody fetches at first (the package of his device, in parts of 4 MB), behind it
/// stragglers with older ones and an archive of documents. gallery: visitors of albums, who see a
/// sheet of thumbnails and then photos, and come back to an album or go to the owner's next one;
/// some albums only a few know. catalogue: viewers of films in three renditions, most from the
/// begin on; each day (120,000 requests) 40 titles become popular, and 20 are new.
/// `what` is KIND or KIND:SEED, a whole number. Nothing: neither.
std::optional<Trace> make_trace(std::string_view what, std::size_t requests);

}  // namespace relay::bench
