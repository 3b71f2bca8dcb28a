// One job from its start to its result: which work it is, inside which walls, and what an error
// means to the broadcaster and to the origin.
#pragma once

#include "common/base/error.hpp"
#include "common/media/job.hpp"
#include "transcoder/publisher.hpp"
#include "transcoder/settings.hpp"

namespace relay::transcoder {

/// What the origin hands over (common/media/job.hpp).
inline constexpr int job_fd = 0;
inline constexpr int source_fd = 3;
inline constexpr int connection_fd = 4;

/// The job from descriptor 0, to its end of file.
Result<media::Job> read_job();

/// What becomes of a job's source: its result, or an error that is not the source's.
using Work = Result<media::JobResult> (*)(const Settings&, const media::Job&, Publisher&);
Result<media::JobResult> make_video(const Settings&, const media::Job&, Publisher&);
Result<media::JobResult> make_photo(const Settings&, const media::Job&, Publisher&);
Result<media::JobResult> make_edges(const Settings&, const media::Job&, Publisher&);

/// Builds the sandbox, does the work and sends the result; the exit status of the process.
int run_job(const Settings& settings, const media::Job& job, Work work);

/// What is told when the work ends with an error of the publisher's or our own. Pure.
media::JobResult result_of(const Error& error);

}  // namespace relay::transcoder
