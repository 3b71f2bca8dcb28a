// Where encoders connect: RTMP and RTMPS, one port for all channels. The key is checked before a
// byte of media is taken; what comes after goes tag by tag into the channel's feed and is never
// waited for, so a slow channel holds up nobody.
//
// Lives on one worker; media is copied there and nowhere looked into.
#pragma once

#include <memory>
#include <string>

#include "common/base/metrics.hpp"
#include "common/net/task.hpp"

namespace relay::origin::live {

class Channels;

struct RtmpTls {
  std::string certificate, key;  // PEM files
};

class RtmpListener {
 public:
  /// Binds at once; throws std::runtime_error when it cannot (start-up only). `tls` without a
  /// certificate: plain RTMP. `channels` and `metrics` outlive it.
  RtmpListener(net::asio::io_context& io, const std::string& address, const RtmpTls& tls,
               const Channels& channels, Metrics& metrics);
  ~RtmpListener();

  unsigned short port() const;
  /// On its worker: no new connections; those that are there end.
  void stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace relay::origin::live
