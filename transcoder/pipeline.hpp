// A video or audio file becomes a presentation: one decode, a cascade of scales, an encoder a
// rung, all of one segment before the next, handed to a Sink.
#pragma once

#include "common/base/error.hpp"
#include "common/media/job.hpp"
#include "transcoder/encoding.hpp"
#include "transcoder/track.hpp"

namespace relay::transcoder {

/// Reads `source_fd` (seekable, borrowed, read by position only) and hands every segment to
/// `sink`; returns when the last is accepted. A source that cannot be used is a JobResult that is
/// not ready, with a reason for a broadcaster. An Error is the sink's, or our own fault. Starts
/// threads of its own and joins them.
Result<media::JobResult> run_video(const Encoding& encoding, const SourceLimits& limits,
                                   int source_fd, Sink& sink);

}  // namespace relay::transcoder
