// Looks at the beginning of a source once: what its pictures and sounds are, when they begin, and
// what must be done to them. The packets that were read are kept and read again.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "common/base/error.hpp"
#include "transcoder/demuxer.hpp"
#include "transcoder/picture.hpp"

namespace relay::transcoder {

/// A demuxer whose first packets were looked at already; next() gives them again.
class ProbedSource {
 public:
  explicit ProbedSource(std::unique_ptr<Demuxer> demuxer) : demuxer_(std::move(demuxer)) {}
  Demuxer& demuxer() { return *demuxer_; }

  /// Reads on and keeps a copy for next().
  Result<const AVPacket*> look();  // null at the end
  Result<bool> next(AVPacket& packet);

 private:
  std::unique_ptr<Demuxer> demuxer_;
  std::deque<av::Packet> kept_;
};

struct SourceFacts {
  bool has_picture = false, has_sound = false;  // decodable ones
  PicturePlan picture;
  std::int64_t picture_start_ns = 0, sound_start_ns = 0;
  bool sound_start_known = false;
  bool interlaced = false;
  std::int64_t zero_ns = 0;  // source time that becomes the presentation's begin
};

Result<SourceFacts> probe(ProbedSource& source, const SourceLimits& limits);

/// Whether frames that are flagged as interlaced really are: `combed` of `seen` show it, `clean`
/// of them show the opposite (the rest shows nothing). Pure.
bool really_interlaced(int seen, int combed, int clean);

/// Where the presentation begins: at the first picture; with the sound when that begins more than
/// a second earlier (then the first picture is shown from there). Pure.
std::int64_t choose_zero(std::int64_t picture_ns, std::int64_t sound_ns);

}  // namespace relay::transcoder
