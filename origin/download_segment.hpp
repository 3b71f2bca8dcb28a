// Where the fragments of a stored segment lie, read from its file's boxes.
#pragma once

#include <filesystem>

#include "common/base/error.hpp"
#include "origin/download/plan.hpp"

namespace relay::origin {

/// Blocks: adds the segment's fragments to the track, of its newest init and as file `number`.
/// Reads heads and moofs only. Errors: not_found, corrupt.
Result<void> add_segment(const std::filesystem::path& path, std::size_t number,
                         download::Track& track);

}  // namespace relay::origin
