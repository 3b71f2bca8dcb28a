// One connection to the bus, NATS with JetStream, until it first fails: then it is of no use any
// more, and the next one begins anew. libnats could reconnect by itself, but what the server keeps
// of a connection (who watches what) does not outlive its restart, and nothing says so. So nothing
// is watched here: words that arrive only ring, and what is true is asked for.
//
// Of a fleet the bus holds: bucket NAME_members, a key a member, forgotten when not renewed; bucket
// NAME_settings, a key a kind of program; stream NAME_purges with a subject NAME.purges.MEMBER
// each.
//
// Calls block, each for at most `answer_wait`. Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"

namespace relay::edge::bus {

inline constexpr std::chrono::milliseconds answer_wait{1'000};
/// How long the stream remembers a purge, and how many it does.
inline constexpr std::chrono::hours purges_kept{30 * 24};
inline constexpr std::int64_t purges_kept_max = 1'000'000;
/// How many texts of settings a key remembers, the newest with them.
inline constexpr std::uint8_t settings_remembered = 8;

/// Where a stream is. Another `created_ns` is another stream.
struct StreamState {
  std::int64_t created_ns = 0;
  std::uint64_t first = 0;  // sequence of the oldest message
  std::uint64_t last = 0;   // of the newest; 0: there never was one
  bool operator==(const StreamState&) const = default;
};

struct Message {
  std::string key;  // the last part of its subject
  std::string text;
  bool removed = false;  // a key of a bucket that was taken away
  std::uint64_t sequence = 0;
  std::int64_t written_ns = 0;  // by the server's clock
};

enum class Stream { members, settings, purges };

class Session {
 public:
  struct Options {
    std::vector<std::string> servers;
    std::string ca_file;  // empty: those that the system trusts
    std::string fleet;    // NAME
    std::string edge;     // what the server calls this connection
    std::chrono::milliseconds members_kept;
    std::function<void()> ring;  // something was written; on a thread of libnats, perhaps late
  };
  /// Connects, and creates what is missing. Errors: unavailable, without secrets.
  static Result<std::unique_ptr<Session>> open(const Options& options);
  ~Session();

  /// Errors, here and below: unavailable; the session is to be given up.
  Result<StreamState> state(Stream stream);
  /// The keys that have a message.
  Result<std::vector<std::string>> keys(Stream stream);
  /// Nothing: it is not there (any more).
  Result<std::optional<Message>> at(Stream stream, std::uint64_t sequence);
  Result<std::optional<Message>> newest_of(Stream stream, std::string_view key);

  /// Returns its sequence, once it is stored. Two within minutes with the same `id`, when it is
  /// given, are one.
  Result<std::uint64_t> write(Stream stream, std::string_view key, std::string_view text,
                              const std::string& id = {});
  Result<void> remove_member(std::string_view key);

 private:
  struct Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Waits for libnats to end its threads; when no session is left, before the program ends.
void end_library();

}  // namespace relay::edge::bus
