// The transcoder of a live channel: the feed of two slots comes in, parts on the channel clock go
// out, until the feed ends.
#pragma once

#include "common/base/error.hpp"
#include "common/media/job.hpp"
#include "transcoder/live/channel_clock.hpp"
#include "transcoder/publisher.hpp"
#include "transcoder/settings.hpp"

namespace relay::transcoder::live {

/// The Work of a live job, on the source's descriptor. An error is the origin's or our own; a
/// publisher's stream is never one.
Result<media::JobResult> make_channel(const Settings& settings, const media::Job& job,
                                      Publisher& publisher);
/// The same with the feed on `feed_fd`, which is borrowed, and by a given clock.
Result<media::JobResult> run_channel(const Settings& settings, const media::Job& job, int feed_fd,
                                     Publisher& publisher, const ChannelClock& clock);

}  // namespace relay::transcoder::live
