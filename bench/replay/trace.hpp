// Traces of the oracleGeneral form: records of 24 bytes, little-endian: seconds u32, object u64,
// bytes u32, number of the object's next request i64 (-1: none). Plain, or .zst through `zstd`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace relay::bench {

struct Request {
  std::uint64_t hash = 0;  // of the object's number
  std::uint64_t bytes = 1;
  std::int64_t next = 0;  // the number of the request that asks for it again; INT64_MAX: none
};

struct Trace {
  std::string name;
  std::vector<Request> requests;
  std::uint64_t working_set_bytes = 0;
};

/// Fills in what follows from the order of the requests: next, and the working set.
void link(Trace& trace);
/// The first `most` requests. No requests: it could not be read.
Trace read_trace(const std::string& path, std::size_t most);

}  // namespace relay::bench
