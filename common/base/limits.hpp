// Every bound in the system that is not a setting, with its unit. A queue, buffer, header or wait
// without a name here or in a settings struct is a bug.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace relay::limits {

using namespace std::chrono_literals;

// HTTP heads. nginx's defaults are 8 KiB a line and 32 KiB in all.
inline constexpr std::size_t head_bytes_max = 32 * 1024;
inline constexpr std::size_t target_bytes_max = 8 * 1024;
inline constexpr std::size_t header_fields_max = 100;
inline constexpr std::size_t chunk_line_bytes_max = 8 * 1024;  // size line; also all trailers
inline constexpr std::size_t ranges_max = 16;                  // more in one Range: the whole body
// Interim answers (1xx) before one answer: more than either, and it counts as none.
inline constexpr std::size_t interim_heads_max = 32;
inline constexpr std::size_t interim_bytes_max = 32 * 1024;

// Connections.
inline constexpr std::size_t read_buffer_bytes = 64 * 1024;
inline constexpr std::chrono::milliseconds header_wait = 10s;  // first byte to end of head
inline constexpr std::chrono::milliseconds idle_wait = 75s;    // between requests
inline constexpr std::chrono::milliseconds body_stall = 30s;   // no byte read or written
// Of clients only, sending or taking a body: slower than this over a whole window ends it.
inline constexpr std::chrono::milliseconds rate_window = 20s;
inline constexpr double rate_min_bytes_per_s = 512;
// A connection that waits for its next request gives its buffers back after this: longer than a
// player's segment, or each of its requests pays for them anew.
inline constexpr std::chrono::milliseconds buffers_kept = 8s;
inline constexpr std::chrono::milliseconds tcp_user_timeout = 30s;
inline constexpr std::size_t connections_max = 20000;              // a worker thread
inline constexpr std::uint64_t drain_body_bytes_max = 256 * 1024;  // unread request body skipped

// Who waits for one fetch, or reads what it brings: of a flight, or a live playlist at an edge.
inline constexpr std::size_t waiters_max = 100'000;

// Live playlists that an edge follows, a request upstream each. Upstream has shown nothing yet of
// so many at most, which may be none, and which are asked for again each second while it is away.
inline constexpr std::size_t live_playlists_max = 4096;
inline constexpr std::size_t live_playlists_unanswered_max = 512;
// Of a viewer at an edge for a playlist of which upstream tells nothing: less than players wait for
// a first byte (hls.js 10 s, our page 8 s), so that it counts as an answer of ours, after which
// they ask again.
inline constexpr std::chrono::milliseconds playlist_wait = 6s;

// Bodies on their way to the cache, in memory: 32 pages less LMDB's 16-byte page header, so that
// they also fill whole runs of its medium shelf (DESIGN 4.4).
inline constexpr std::size_t chunk_bytes = 32 * 4096 - 16;

// Of a request, for a body on its way to the cache, before it asks upstream for another.
inline constexpr std::chrono::milliseconds store_wait = 500ms;

// Upstream connections.
inline constexpr std::chrono::milliseconds connect_wait = 1000ms;
inline constexpr std::chrono::milliseconds first_byte_wait = 30s;
inline constexpr std::size_t idle_connections_max = 64;  // a worker and endpoint
inline constexpr std::chrono::milliseconds idle_connection_age = 50s;

// Playlists: a day of 2 s segments is about 1.5 MB.
inline constexpr std::size_t playlist_bytes_max = 8 * 1024 * 1024;
inline constexpr std::int64_t segment_seconds_max = 24 * 60 * 60;

// Who connects to publish, by RTMP or SRT: connections of a listener; and by RTMP those of one peer
// that do not publish yet, as many as a studio's encoders that all come back at once.
inline constexpr std::size_t publishers_max = 1024;
inline constexpr std::size_t waiting_publishers_max = 64;

// A settings file larger than this is a mistake.
inline constexpr std::size_t settings_file_bytes_max = 1024 * 1024;

static_assert(target_bytes_max < head_bytes_max);
static_assert(head_bytes_max < read_buffer_bytes);
static_assert(chunk_bytes % 16 == 0);

}  // namespace relay::limits
