#include "origin/live/half_done_file.hpp"

#include <string>
#include <utility>

#include "common/base/log.hpp"

namespace relay::origin::live {

std::string notes_object(std::string_view rendition) {
  return std::string(rendition) + "/half_done";
}

Result<void> add_note(store::UniqueFd& notes, const std::filesystem::path& path, std::size_t index,
                      std::string_view note) {
  if (!notes) {
    auto opened = store::open_write(path);
    if (!opened && opened.error().kind == ErrorKind::not_found) opened = store::create_new(path);
    if (!opened) return std::unexpected(opened.error());
    notes = std::move(*opened);
  }
  return store::write_all_at(notes.get(), note, index * note_bytes);
}

void forget_notes(store::UniqueFd& notes, const std::filesystem::path& path) {
  notes.reset();
  if (auto removed = store::remove_file(path); !removed)
    log::warn("notes of a segment stay behind", {log::kv("why", removed.error().message)});
}

std::optional<HalfDone> read_notes(const std::filesystem::path& path) {
  auto notes = store::read_file(path);
  return notes ? half_done_from_notes(*notes) : std::nullopt;
}

std::optional<HalfDoneFile> reopen(const std::filesystem::path& path, const Segment& segment) {
  auto file = store::open_write(path);
  if (!file) return std::nullopt;
  auto size = store::size_of(file->get());
  if (!size) return std::nullopt;
  HalfDoneFile reopened{std::move(*file), {}};
  std::uint64_t offset = 0;
  for (const Part& part : segment.parts) {
    if (part.bytes > *size - offset) return std::nullopt;
    auto bytes = store::read_exactly(reopened.file.get(), offset, part.bytes);
    if (!bytes || digest128(*bytes) != part.digest) return std::nullopt;
    reopened.digest.update(*bytes);
    offset += part.bytes;
  }
  return reopened;
}

}  // namespace relay::origin::live
