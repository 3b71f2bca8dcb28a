// An edge, whole: settings → cache → fleet → edge → server, in this order, and back. What the
// program runs one of, and a simulation several.
#pragma once

#include <memory>
#include <string>

#include "edge/settings.hpp"

namespace relay::edge {

class Node {
 public:
  /// Opens the store, reads what was purged, binds the listening sockets. `settings` outlive it;
  /// `config_path` is read again at SIGHUP. Throws std::runtime_error (start-up only).
  Node(const Settings& settings, std::string config_path);
  ~Node();

  /// Serves until SIGTERM, SIGINT or stop(), and the drain after it.
  void run();
  /// Thread-safe: begin to drain.
  void stop();
  /// Thread-safe, while run() serves: reads the config again, as SIGHUP does.
  void reload();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay::edge
