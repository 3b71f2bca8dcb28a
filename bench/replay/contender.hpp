// The policies that are compared, each a whole cache without bodies.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "bench/replay/trace.hpp"
#include "edge/policy/policy.hpp"
#include "edge/policy/tally.hpp"

namespace relay::bench {

using edge::policy::Outcome;

class Contender {
 public:
  virtual ~Contender() = default;
  virtual Outcome request(const Request& request) = 0;
};

std::unique_ptr<Contender> make_lru(std::uint64_t capacity_bytes);
/// SIEVE (Zhang et al., NSDI'24): one queue and a hand that passes over what was used.
std::unique_ptr<Contender> make_sieve(std::uint64_t capacity_bytes);
/// S3-FIFO (Yang et al., SOSP'23): small queue of 10 %, main queue with second chances, a memory of
/// what left the small one; as libCacheSim has it: promoted after two uses, objects larger than the
/// small queue are refused.
std::unique_ptr<Contender> make_s3fifo(std::uint64_t capacity_bytes);
/// 2Q (Johnson and Shasha, VLDB'94): A1in 25 %, A1out remembers 50 %, Am is LRU.
std::unique_ptr<Contender> make_two_queues(std::uint64_t capacity_bytes);
/// W-TinyLFU (Einziger et al., ToS'17): LRU window of 1 %, segmented LRU (80 % protected) behind a
/// duel of frequencies. An object larger than the window is a candidate at once.
std::unique_ptr<Contender> make_tinylfu(std::uint64_t capacity_bytes);
/// Evicts what is asked for again last. A bound for objects of equal size.
std::unique_ptr<Contender> make_belady(std::uint64_t capacity_bytes);

/// How the edge is set up. Without `memory_share` (of the capacity) as it is shipped, on a machine
/// whose memory does not bound it.
struct Setup {
  std::uint64_t capacity_bytes = 0;
  edge::policy::Goal goal = edge::policy::Goal::objects;
  std::optional<double> memory_share;
};

/// The edge's own code.
class Ours final : public Contender {
 public:
  explicit Ours(const Setup& setup);
  Outcome request(const Request& request) override;
  const edge::policy::Policy& policy() const { return policy_; }

 private:
  std::uint64_t capacity_bytes_;
  edge::policy::Policy policy_;
};

}  // namespace relay::bench
