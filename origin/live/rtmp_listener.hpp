// Where encoders connect: RTMP and RTMPS, one port for all channels. The key is checked before a
// byte of media is taken; what comes after goes tag by tag into the channel's feed and is never
// waited for, so a slow channel holds up nobody.
//
// Connections are dealt out to all workers; media is copied there and nowhere looked into.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/metrics.hpp"
#include "common/net/task.hpp"

namespace relay::origin::live {

class Channels;

struct RtmpTls {
  std::string certificate, key;  // PEM files
};

class RtmpListener {
 public:
  using Workers = std::vector<net::asio::io_context*>;

  /// Binds at once; throws std::runtime_error when it cannot (start-up only). The first of
  /// `workers` accepts. `tls` without a certificate: plain RTMP. All outlive it, and its
  /// connections.
  RtmpListener(const Workers& workers, const std::string& address, const RtmpTls& tls,
               const Channels& channels, Metrics& metrics);
  ~RtmpListener();

  unsigned short port() const;
  /// On the first worker: no new connections; those that are there end.
  void stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace relay::origin::live
