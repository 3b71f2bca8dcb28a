// A source that is already what we would make is published as it is: its packets become the
// rendition "source", cut at its own key frames, before anything is encoded.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/base/error.hpp"
#include "transcoder/chunker.hpp"
#include "transcoder/delivery.hpp"
#include "transcoder/demuxer.hpp"
#include "transcoder/encoding.hpp"
#include "transcoder/nal.hpp"
#include "transcoder/probe.hpp"
#include "transcoder/track.hpp"

namespace relay::transcoder {

/// What a reading of the whole source found.
struct CopyPlan {
  TrackSpec track;
  std::vector<std::int64_t> keys;  // frames that are IDR pictures
  std::int64_t frames = 0;
  std::vector<std::int64_t> ranks;  // of each packet in decode order: the frame that it shows
  std::int64_t reorder = 0;         // frames by which decoding runs ahead
};

/// Whether the stream may fit, judged by its head alone: H.264, 8 bit 4:2:0, progressive, upright,
/// square even pixels, SDR, at most level 4.2. Pure of reads.
bool may_copy(const AVStream& stream, const SourceFacts& facts);

/// Reads every packet of a fresh `demuxer`; nullopt when something does not fit (constant frame
/// rate, one set of parameters, key frames close enough, no heavier than allowed, sound that ends
/// with the picture): then the source is encoded.
Result<std::optional<CopyPlan>> plan_copy(Demuxer& demuxer, const SourceFacts& facts,
                                          const Encoding& encoding);

/// Reads a fresh `demuxer` again and delivers segment after segment, from `first_segment` on.
Result<void> copy(Demuxer& demuxer, const CopyPlan& plan, const Chunker& chunker,
                  Delivery& delivery, int track, std::int64_t first_segment);

}  // namespace relay::transcoder
