// The [live] part of the origin's settings; origin/settings describes its keys.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace relay::origin::live {

/// Of a setting, and of a channel's own constant of the same name.
struct Bounds {
  std::int64_t least, most;
};
inline constexpr Bounds part_ms_bounds{100, 5'000};
inline constexpr Bounds group_ms_bounds{500, 10'000};
inline constexpr Bounds segment_ms_bounds{1'000, 20'000};
inline constexpr Bounds rungs_bounds{1, 8};
inline constexpr Bounds height_bounds{100, 4320};  // pixels of the shorter side
inline constexpr Bounds dvr_ms_bounds{30'000, 366LL * 86'400'000};
inline constexpr std::int64_t dvr_bytes_least = 64 << 10;

/// How channels are taken in, made and kept.
struct LiveSettings {
  std::string rtmp = "127.0.0.1:1935";  // empty: off; so are the others
  std::string rtmps;
  std::string rtmps_certificate, rtmps_key;
  std::string srt = "127.0.0.1:8890";
  std::chrono::milliseconds srt_latency{120};
  std::string public_host;  // in the addresses that the API gives; empty: as listened on
  std::chrono::milliseconds part = std::chrono::milliseconds{500};
  std::chrono::milliseconds group = std::chrono::seconds{2};
  std::chrono::milliseconds segment = std::chrono::seconds{4};
  std::chrono::milliseconds dvr = std::chrono::hours{2};
  std::uint64_t dvr_size_max = 64ull << 30;  // of one channel
  std::string between = "gap";
  std::string busy_slot = "refuse";
  bool return_to_primary = true;
  std::int64_t channels_max = 16;
};

}  // namespace relay::origin::live
