// JSON of edge_job.hpp, for job.cpp. Pure.
#pragma once

#include <boost/json/object.hpp>

#include "common/media/edge_job.hpp"

namespace relay::media {

boost::json::object to_object(const EdgeJob& job);
/// Errors: invalid.
Result<EdgeJob> edge_job_from(const boost::json::object& object);

}  // namespace relay::media
