// How the last process stopped, and what may be believed of the files it left. The marker lies
// outside of the environments and is the only file here that is written with a sync.
//
// LMDB runs without a sync a commit. When only the process died, the kernel still has every page:
// structure and removals hold, and bodies are verified once as a second line. When the system
// went down, pages of several transactions may be mixed: a page could be in a tree and in the
// free list at once, and a purged header could be back, which no digest tells. Nothing is
// believed then, and the cache starts empty.
//
// After a clean stop bodies are believed as they are, if nobody has touched the files since.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "common/base/error.hpp"

namespace relay::edge::cache {

enum class Trust { good, verify, discard };

struct LastStop {
  Trust trust = Trust::discard;
  /// With trust good: ids below this were still unverified when the process stopped.
  std::uint64_t trusted_from_id = 0;
  bool operator==(const LastStop&) const = default;
};

/// Pure. `marker` is the file's text (empty: there is none), `boot` names this boot of the system,
/// `files` what the data files are now.
LastStop judge(std::string_view marker, std::string_view boot, std::string_view files);
std::string running_marker(std::string_view boot);
std::string clean_marker(std::string_view boot, std::uint64_t trusted_from_id,
                         std::string_view files);

/// The kernel's name for this boot; empty when it has none, and then no two stops are alike.
std::string boot_id();
/// One word for the data files, another one once any of them was written to, replaced or restored.
std::string files_word(const std::filesystem::path& folder);
std::filesystem::path marker_path(const std::filesystem::path& folder);
/// Of a folder without one it tells what an empty one would. Errors: the disk's.
Result<LastStop> read_marker(const std::filesystem::path& folder);
Result<void> mark_running(const std::filesystem::path& folder);
Result<void> mark_clean(const std::filesystem::path& folder, std::uint64_t trusted_from_id);

}  // namespace relay::edge::cache
