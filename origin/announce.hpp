// Tells the edges what they must forget. Each edge has a line: announcements go out in order, one
// at a time, and the first one is repeated until the edge has confirmed it. A line that grows too
// long becomes a single "forget everything".
//
// purge() and set_edges() are thread-safe; the lines live on one worker.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/base/metrics.hpp"
#include "common/net/client.hpp"
#include "common/net/task.hpp"

namespace relay::origin {

/// What one edge said to an announcement.
struct Receipt {
  std::string edge;        // its admin address
  bool confirmed = false;  // false: not yet; it is being repeated
};

class Announcer {
 public:
  explicit Announcer(Metrics& metrics);
  ~Announcer();
  /// Before anything else: `io` is the worker that the lines live on.
  void start(net::asio::io_context& io, const std::vector<std::string>& admin_urls);

  /// From now on these edges (http://host:port). Lines of edges that are gone end.
  void set_edges(const std::vector<std::string>& admin_urls);
  std::vector<std::string> edges() const;

  /// `body` is that of POST /purge. Does not wait.
  void purge(const std::string& body);

  /// Title or tags of an asset changed: its playlist tells the one, all its answers the others.
  void relabelled(std::string_view tenant, std::string_view asset);

  /// The same as purge(), and waits for the edges, but no longer than `wait`. Call on any worker.
  net::Task<std::vector<Receipt>> purge_and_wait(std::string body, std::chrono::milliseconds wait);

  /// Ends all lines: the worker can drain. What was not confirmed is given up.
  void stop();

 private:
  struct Line;
  struct Waiting;
  net::Task<void> run(std::shared_ptr<Line> line);
  enum class Outcome { confirmed, refused, failed };
  net::Task<Outcome> send(const Line& line, std::string body);
  void count(Line& line, Outcome outcome);
  net::Task<void> pause(Line& line);
  void enqueue(const std::string& body, const std::shared_ptr<Waiting>& waiting);

  net::asio::io_context* io_ = nullptr;
  std::optional<net::Client> client_;
  Counter& confirmed_;
  Counter& failed_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;  // guards lines_
  std::map<std::string, std::shared_ptr<Line>> lines_;
};

/// {"url": …} or {"prefix": …} for POST /purge, for the edge that is asked only: each has its line.
std::string purge_of_url(std::string_view path);
std::string purge_of_prefix(std::string_view path);
/// What is there is only asked about again.
std::string soft_purge_of_prefix(std::string_view path);

}  // namespace relay::origin
