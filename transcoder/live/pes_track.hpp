// The pictures of one PID on their way to the demuxer, which gives out a PES packet of no stated
// length only when the next one begins: here it is told of the end at once. Pure.
//
// A PES packet begins with a packet of its own, so the last packet of the one before is filled up,
// but for one in 184 that is full by itself: a packet that is filled up is the last. A stream that
// keeps to this, and whose PES packets are exactly one picture each, is trusted after two of them.
// They wait until then, no longer than they would in a demuxer and a parser that must see the next
// picture's begin. From there on each picture goes on as soon as it is there.
//
// What is not so goes on as it always did, with the next one's begin; nothing is left out and
// nothing changes its order within the PID. A guess that was wrong costs the one picture, and is
// the stream's last.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "common/media/ts_packet.hpp"
#include "transcoder/live/access_unit.hpp"

namespace relay::transcoder::live {

/// What goes to the demuxer at once.
struct TsPiece {
  static constexpr int any_pid = -1;
  std::string bytes;
  std::int64_t arrival_us = 0;  // of its last packet
  int pid = any_pid;            // whose pictures these are
  PictureCoding coding = PictureCoding::other;
  bool whole_picture = false;  // exactly one: no parser need look for its end
};

class PesTrack {
 public:
  PesTrack(int pid, PictureCoding coding) : pid_(pid), coding_(coding) {}

  /// The PID's packets in their order, until it is refused; `out` gets what can go on.
  void add(const media::TsPacket& packet, std::int64_t arrival_us, std::deque<TsPiece>& out);
  /// Nothing follows.
  void end(std::deque<TsPiece>& out);
  /// Why its pictures go on a picture later; empty: they do not, or not for good.
  const std::string& refusal() const { return refusal_; }

  static constexpr std::size_t picture_bytes_max = 2'000'000;  // the demuxer's own limit is near
  static constexpr std::int64_t trusted_after = 2;             // pictures

 private:
  struct Pes {
    std::string packets;
    std::int64_t arrival_us = 0;
    AccessUnitScan scan;
    std::size_t data_bytes = 0, data_wanted = 0;  // 0: as many as come
    bool readable = false, damaged = false, filled = false, filled_within = false;
    int continuity = 0;  // of the last packet
    bool complete() const { return data_wanted > 0 ? data_bytes >= data_wanted : filled; }
    bool is_picture() const;
  };
  bool follows(const media::TsPacket& packet);
  void begin(const media::TsPacket& packet, std::int64_t arrival_us);
  void extend(const media::TsPacket& packet, std::int64_t arrival_us);
  void judge_open(std::deque<TsPiece>& out);
  void close(std::deque<TsPiece>& out);
  void judge(const Pes& pes);
  void release(Pes pes, bool whole, std::deque<TsPiece>& out) const;
  void refuse(std::string reason, std::deque<TsPiece>& out);

  int pid_;
  PictureCoding coding_;
  std::vector<Pes> held_;    // the first ones, until they are trusted
  std::optional<Pes> open_;  // what comes in now
  int continuity_ = -1;
  bool guessed_ = false;  // the last one went on before the next began
  bool settled_ = false;  // nothing is held any more
  std::int64_t good_ = 0, good_wanted_ = trusted_after;  // pictures in a row
  std::string refusal_;
};

}  // namespace relay::transcoder::live
