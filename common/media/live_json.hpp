// A live job as a member of a job's JSON. For job.cpp only. Pure.
#pragma once

#include <boost/json/object.hpp>

#include "common/media/live.hpp"

namespace relay::media {

boost::json::object to_object(const LiveJob& job);
Result<LiveJob> live_job_from(const boost::json::object& object);

}  // namespace relay::media
