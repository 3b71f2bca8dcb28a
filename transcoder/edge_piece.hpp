// One segment of a finished rendition, read back: its packets, and the frames that they show.
#pragma once

#include <memory>
#include <vector>

#include "common/base/error.hpp"
#include "common/media/edge_job.hpp"
#include "transcoder/demuxer.hpp"
#include "transcoder/edge_cut.hpp"

namespace relay::transcoder {

class EdgeSegment {
 public:
  /// Reads `piece` of the source. Errors: invalid (it can't be used, with a sentence for the
  /// broadcaster), and those of Demuxer. `stop` outlives it.
  static Result<EdgeSegment> read(int source_fd, const media::EdgePiece& piece, bool picture,
                                  const SourceLimits& limits, const StopSignal& stop);

  const AVStream& stream() const { return *stream_; }
  EdgeFrames frames() const { return {frames_, stream_->time_base.den}; }
  const std::vector<av::Packet>& packets() const { return packets_; }  // in decode order
  /// Which packets, and so which frames, begin a group of pictures that needs none before it.
  std::vector<std::size_t> keys() const;
  /// Ticks by which decoding runs ahead of showing.
  std::int64_t reorder() const { return packets_.front()->pts - packets_.front()->dts; }

 private:
  Result<void> take_packets();
  Result<void> sort_frames();

  std::unique_ptr<Demuxer> demuxer_;
  const AVStream* stream_ = nullptr;
  std::vector<av::Packet> packets_;
  std::vector<EdgeFrame> frames_;
};

}  // namespace relay::transcoder
