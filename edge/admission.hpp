// What a request is before anything is looked up: a viewer's or another edge's, what it may have
// done for it, and the key that it asks for.
#pragma once

#include <optional>
#include <string>

#include "common/base/metrics.hpp"
#include "edge/fleet/members.hpp"
#include "edge/fleet/peer_key.hpp"
#include "edge/settings.hpp"
#include "edge/visit.hpp"

namespace relay::edge {

struct Refusal {
  int status = 400;
  std::string text;
};

/// Thread-safe.
class Admission {
 public:
  Admission(const Settings& settings, const fleet::Members& members, const fleet::PeerKey& key,
            Metrics& metrics);

  /// Sets the visit's route, key and target; or its outcome, with what to answer.
  std::optional<Refusal> judge(Visit& visit);

 private:
  bool trusts(const http::RequestHead& request);
  bool names_member(http::Fields request) const;

  const Settings& settings_;
  const fleet::Members& members_;
  const fleet::PeerKey& key_;
  Counter& forged_;
};

}  // namespace relay::edge
