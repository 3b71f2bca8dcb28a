// A photo becomes upright sRGB renditions, JPEG and WebP, at the widths of the settings (libvips).
// The photo's own orientation is baked in; of its metadata only author and copyright stay, so no
// place, camera or embedded preview gets out.
#pragma once

#include <vector>

#include "common/base/error.hpp"
#include "common/media/job.hpp"
#include "transcoder/publisher.hpp"
#include "transcoder/settings.hpp"

namespace relay::transcoder {

/// Loads the library with its modules and leaves only the readers of JPEG, PNG, WebP, HEIF (HEIC,
/// AVIF), TIFF and GIF switched on. Once, before the sandbox closes.
Result<void> prepare_photos();

/// Widths of the renditions of a photo, rising: those of the settings that it is wide enough for
/// and, when it is narrower than the widest of them, its own. Empty when none has at most
/// `side_max` lines. Pure.
std::vector<int> photo_widths(const PhotoSettings& settings, int width, int height);

/// Reads `source_fd` (seekable, borrowed) and hands w{width}.jpg and w{width}.webp to the
/// publisher, smallest first. A photo that cannot be used is a JobResult that is not ready, with a
/// reason for a broadcaster; an Error is the publisher's.
Result<media::JobResult> run_photo(const PhotoSettings& settings, int source_fd,
                                   Publisher& publisher);

}  // namespace relay::transcoder
