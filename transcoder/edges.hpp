// The edges of a clip (common/media/edge_job.hpp): pictures are encoded again, frames of sound are
// taken as they are.
#pragma once

#include "common/base/error.hpp"
#include "common/media/job.hpp"
#include "transcoder/publisher.hpp"
#include "transcoder/settings.hpp"

namespace relay::transcoder {

/// Sends what the job's renditions still lack. A result that is not ready has a sentence for the
/// broadcaster; an Error is the publisher's, or our own fault.
Result<media::JobResult> run_edges(const Settings& settings, const media::Job& job, int source_fd,
                                   Publisher& publisher);

}  // namespace relay::transcoder
