#include "origin/live/half_done.hpp"

#include <array>
#include <bit>
#include <cstring>
#include <type_traits>
#include <utility>

#include "origin/live/deadlines.hpp"

namespace relay::origin::live {
namespace {

constexpr std::uint8_t form_1 = 1;

struct Note {
  std::uint8_t form = form_1;
  std::uint8_t last = 0;
  std::uint8_t independent = 0;
  std::array<std::uint8_t, 5> unused{};
  std::int64_t number = 0;
  std::uint64_t bytes = 0;
  std::int64_t ticks = 0;
  std::uint64_t digest_high = 0, digest_low = 0;
  std::uint64_t key_offset = 0, key_bytes = 0;
};
static_assert(sizeof(Note) == note_bytes && std::has_unique_object_representations_v<Note>);
static_assert(std::endian::native == std::endian::little, "notes are little-endian");

std::optional<Note> note_at(std::string_view notes, std::size_t index) {
  if (notes.size() < (index + 1) * note_bytes) return std::nullopt;
  Note note;
  std::memcpy(&note, notes.data() + index * note_bytes, note_bytes);
  if (note.form != form_1 || note.bytes == 0 || note.ticks <= 0) return std::nullopt;
  return note;
}

Part part_of(const Note& note) {
  return {.bytes = note.bytes,
          .ticks = note.ticks,
          .independent = note.independent != 0,
          .digest = {note.digest_high, note.digest_low},
          .key = {note.key_offset, note.key_bytes, 0}};
}

}  // namespace

std::string note_of(std::int64_t number, const Part& part, bool last) {
  Note note{.last = last,
            .independent = part.independent,
            .number = number,
            .bytes = part.bytes,
            .ticks = part.ticks,
            .digest_high = part.digest.high,
            .digest_low = part.digest.low,
            .key_offset = part.key.offset,
            .key_bytes = part.key.bytes};
  std::string bytes(note_bytes, '\0');
  std::memcpy(bytes.data(), &note, note_bytes);
  return bytes;
}

std::optional<HalfDone> half_done_from_notes(std::string_view notes) {
  auto first = note_at(notes, 0);
  if (!first) return std::nullopt;
  HalfDone half_done{.segment = {.number = first->number}};
  for (auto note = first; note && note->number == first->number && !half_done.closing;
       note = note_at(notes, half_done.segment.parts.size())) {
    half_done.segment.parts.push_back(part_of(*note));
    half_done.closing = note->last != 0;
  }
  return half_done;
}

void resume(Window& window, std::optional<HalfDone> half_done, const Grid& grid, WallTime now) {
  const std::int64_t at_hand = grid.segment_at(now);
  // Every segment that was kept was noted first: older notes tell nothing of what was shown.
  if (!half_done || half_done->segment.number + 1 < window.next()) {
    window.fill_until(at_hand + 1);
    return;
  }
  if (half_done->segment.number >= window.next())
    window.take_up(std::move(half_done->segment), half_done->closing);
  auto soonest = gap_after(grid.setup().target_duration_s(), std::chrono::milliseconds(0));
  window.fill_until(grid.segment_at(now - soonest));
  // What is left out is a gap as soon as its time is over.
  if (!window.open()) window.fill_until(at_hand);
}

}  // namespace relay::origin::live
