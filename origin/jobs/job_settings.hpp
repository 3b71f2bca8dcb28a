// The [jobs] part of the origin's settings; origin/settings describes its keys.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace relay::origin::jobs {

/// How transcoder processes are run.
struct JobSettings {
  std::string transcoder = "build/bin/torchrelay-transcoder";
  std::string transcoder_config;           // empty: the transcoder's own defaults
  std::int64_t concurrent_max = 1;         // videos
  std::int64_t photos_concurrent_max = 1;  // beside them
  std::chrono::milliseconds turn = std::chrono::minutes{2};
  std::chrono::milliseconds deadline = std::chrono::hours{6};  // of one try
  std::chrono::milliseconds stall = std::chrono::seconds{60};  // without a sign of life
  std::uint64_t memory_max = 3ull << 30;                       // bytes of address space in use
  std::int64_t attempts_max = 3;
  std::uint64_t object_size_max = 256ull << 20;  // one segment or photo rendition
};

}  // namespace relay::origin::jobs
