// A transport stream on its way to libav's demuxer: pictures wait for their last packet and go on
// with their end told (PesTrack), all else goes on as it comes. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "transcoder/live/pes_track.hpp"

namespace relay::transcoder::live {

class TsRelay {
 public:
  /// What the demuxer says of a PID by all that it has been given.
  using CodingOf = std::function<PictureCoding(int pid)>;

  /// Whole packets; what is none goes on as it is. To be given when `next` has nothing.
  void add(std::string unit, std::int64_t arrival_us);
  /// Nothing follows.
  void end();
  /// What comes next, to be asked when the demuxer has read all before; nullopt: nothing without
  /// more units. `coding_of` is asked where a PID begins to send pictures.
  std::optional<TsPiece> next(const CodingOf& coding_of);

  /// Once for each PID whose pictures cannot be given on at once: why. Empty: none.
  std::string take_refusal();

  static constexpr std::size_t tracks_max = 4;  // the rest goes on as it comes

 private:
  bool take_packet(const CodingOf& coding_of);
  void pass(std::string_view bytes);
  void follow(PesTrack& track, const media::TsPacket& packet);

  std::string unit_;
  std::size_t taken_ = 0;  // of it
  std::int64_t arrival_us_ = 0;
  std::map<int, PesTrack> tracks_;  // by PID
  std::deque<TsPiece> ready_;
  std::string refusal_;
};

}  // namespace relay::transcoder::live
