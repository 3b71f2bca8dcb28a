// Who has connected and does not publish yet, by peer: whoever holds many such connections keeps
// himself out, and nobody else.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace relay::origin::live {

/// Thread-safe.
class Doorstep {
 public:
  explicit Doorstep(std::size_t of_a_peer_max) : of_a_peer_max_(of_a_peer_max) {}

  /// One connection's; given back when it goes.
  class Place {
   public:
    Place(std::shared_ptr<Doorstep> doorstep, std::string peer)
        : doorstep_(std::move(doorstep)), peer_(std::move(peer)) {}
    ~Place() { doorstep_->leave(peer_); }
    Place(const Place&) = delete;

   private:
    const std::shared_ptr<Doorstep> doorstep_;
    const std::string peer_;
  };
  /// nullptr: that peer has as many as it may.
  static std::unique_ptr<Place> enter(std::shared_ptr<Doorstep> doorstep, std::string peer);

 private:
  bool take(const std::string& peer);
  void leave(const std::string& peer);

  const std::size_t of_a_peer_max_;
  std::mutex mutex_;  // guards waiting_
  std::map<std::string, std::size_t> waiting_;
};

}  // namespace relay::origin::live
