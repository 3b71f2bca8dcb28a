// Where encoders connect by SRT (libsrt; "Secure Reliable Transport", draft-sharabayko-srt-01): one
// port for all channels, MPEG-TS inside. Who publishes is decided before a byte is taken: by a
// stream id with the channel's key, or encrypted, by the channel's passphrase and a stream id
// without a key (which goes over the network unencrypted).
//
// A thread of its own reads what has come and hands it to the channels' feeds, which never wait.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "common/base/metrics.hpp"

namespace relay::origin::live {

class Channels;

class SrtListener {
 public:
  /// Binds at once; throws std::runtime_error when it cannot (start-up only). `channels` and
  /// `metrics` outlive it.
  /// `latency`: how long what was lost may take to come again; a publisher may ask for more.
  SrtListener(const std::string& address, std::chrono::milliseconds latency,
              const Channels& channels, Metrics& metrics);
  /// Ends all connections and joins the thread.
  ~SrtListener();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay::origin::live
