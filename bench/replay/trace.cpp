#include "bench/replay/trace.hpp"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "common/base/hash.hpp"

namespace relay::bench {
namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

/// In a shell's quotes, whatever the name is.
std::string quoted(const std::string& path) {
  std::string text = "'";
  for (char c : path) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

File open(const std::string& path) {
  if (path.ends_with(".zst")) return {popen(("zstd -dcq " + quoted(path)).c_str(), "r"), pclose};
  return {std::fopen(path.c_str(), "rb"), std::fclose};
}

std::vector<Request> read_records(std::FILE* file, std::size_t most) {
  std::vector<Request> requests;
  char record[24];
  while (requests.size() < most && std::fread(record, sizeof record, 1, file) == 1) {
    std::uint32_t bytes = 0;
    std::memcpy(&bytes, record + 12, 4);
    requests.push_back({hash64({record + 4, 8}), std::max<std::uint32_t>(bytes, 1), 0});
  }
  return requests;
}

}  // namespace

void link(Trace& trace) {
  // From the end on, so that the file's own numbers, wrong after a cut, are not needed.
  boost::unordered_flat_map<std::uint64_t, std::int64_t> later;
  for (std::size_t i = trace.requests.size(); i-- > 0;) {
    auto [next, last] = later.try_emplace(trace.requests[i].hash, INT64_MAX);
    trace.requests[i].next = next->second;
    next->second = static_cast<std::int64_t>(i);
  }
  for (const auto& [hash, first] : later) {
    trace.working_set_bytes += trace.requests[static_cast<std::size_t>(first)].bytes;
  }
}

Trace read_trace(const std::string& path, std::size_t most) {
  Trace trace;
  trace.name = std::filesystem::path(path).filename().string();
  trace.name = trace.name.substr(0, trace.name.find('.'));
  File file = open(path);
  if (!file) return trace;
  trace.requests = read_records(file.get(), most);
  link(trace);
  return trace;
}

}  // namespace relay::bench
