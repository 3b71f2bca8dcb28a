// One encoder's connection: reads, lets the protocol (rtmp/session) say what it means, and carries
// it out. Over TCP or over TLS.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "common/base/limits.hpp"
#include "common/base/metrics.hpp"
#include "common/net/socket.hpp"
#include "common/net/task.hpp"
#include "common/net/watchdog.hpp"
#include "origin/live/doorstep.hpp"
#include "origin/live/feed.hpp"
#include "origin/live/rtmp/session.hpp"

namespace relay::origin::live {

class Channels;

struct RtmpCounters {
  Gauge& publishers;
  Counter& refused;
  Counter& bytes;
};

/// What is said and done, apart from how bytes are carried.
class RtmpConnection : public net::Watched {
 public:
  using Place = std::unique_ptr<Doorstep::Place>;
  /// `place`: given up once it publishes.
  RtmpConnection(const Channels& channels, RtmpCounters counters, std::string peer, Place place);
  ~RtmpConnection() override;

 protected:
  /// False: the connection is to be closed once the session's output is sent.
  bool take(std::string_view bytes);
  std::string take_output() { return session_.take_output(); }
  /// From the connection's begin to its first picture it has so long; after that between bytes.
  void await_bytes();
  void log_end(std::string_view why) const;

 private:
  bool carry_out(rtmp::Session::Event event);
  bool on_publish(const rtmp::Session::Publish& publish);
  bool on_media(const rtmp::Message& message);
  bool leave(std::string_view reason);
  void end_feed();

  const Channels& channels_;
  RtmpCounters counters_;
  const std::string peer_;
  Place place_;
  rtmp::Session session_;
  std::unique_ptr<Feed> feed_;
  std::string channel_;  // "demo/final", for logs
  SteadyTime greeted_by_;
};

}  // namespace relay::origin::live
