// Where the notes of half_done lie: a file beside the segments of their rendition, written in place
// for every segment anew. It is not synced, as the segment that is being made is not: a kill costs
// neither of them, and what a crash of the system leaves is told from it by the digests. All block.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "common/base/hash.hpp"
#include "common/store/file.hpp"
#include "origin/live/half_done.hpp"

namespace relay::origin::live {

/// What it is called within its version.
std::string notes_object(std::string_view rendition);

/// Of a segment's part `index`, whose bytes are in their file. Opens the notes if need be.
Result<void> add_note(store::UniqueFd& notes, const std::filesystem::path& path, std::size_t index,
                      std::string_view note);

/// What they are of is not to be taken up any more.
void forget_notes(store::UniqueFd& notes, const std::filesystem::path& path);

/// nullopt: there are no notes, or they say nothing.
std::optional<HalfDone> read_notes(const std::filesystem::path& path);

/// A half done segment's file, and the digest of its parts.
struct HalfDoneFile {
  store::UniqueFd file;
  DigestStream digest;
};
/// nullopt: it does not hold these parts.
std::optional<HalfDoneFile> reopen(const std::filesystem::path& path, const Segment& segment);

}  // namespace relay::origin::live
