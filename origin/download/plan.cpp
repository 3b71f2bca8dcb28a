#include "origin/download/plan.hpp"

#include <algorithm>
#include <optional>

#include "common/base/check.hpp"
#include "origin/download/box.hpp"
#include "origin/download/sample_tables.hpp"
#include "origin/download/trim.hpp"

namespace relay::origin::download {
namespace {

constexpr std::uint32_t movie_timescale = 1'000'000;
constexpr std::uint64_t mdat_head_bytes = 16;
constexpr std::size_t tkhd_tail_bytes = 60;  // from the reserved bytes behind the duration on
constexpr std::size_t mdhd_tail_bytes = 4;   // language and what is reserved behind it

std::unexpected<Error> broken_init() {
  return fail(ErrorKind::corrupt, ErrorSource::disk, "a stored init segment can't be read");
}

/// What an init says of its track, and what of it goes on as it is.
struct Head {
  std::uint32_t timescale = 0;
  std::string_view tkhd_tail, mdhd_tail, hdlr;
  std::vector<std::string_view> media_heads;  // vmhd or smhd, dinf
};

std::string_view tail(std::string_view payload, std::size_t n) {
  return payload.size() < n ? std::string_view() : payload.substr(payload.size() - n);
}

Result<Head> read_head(std::string_view init) {
  auto tkhd = find_box(init, "moov/trak/tkhd");
  auto mdhd = find_box(init, "moov/trak/mdia/mdhd");
  auto hdlr = find_box(init, "moov/trak/mdia/hdlr");
  auto minf = find_box(init, "moov/trak/mdia/minf");
  if (!tkhd || !mdhd || !hdlr || !minf) return broken_init();
  Head head{.tkhd_tail = tail(tkhd->payload, tkhd_tail_bytes),
            .mdhd_tail = tail(mdhd->payload, mdhd_tail_bytes),
            .hdlr = hdlr->whole};
  for (const Box& box : boxes_in(minf->payload))
    if (box.type != "stbl") head.media_heads.push_back(box.whole);
  Fields fields(mdhd->payload);
  bool is_long = fields.u32() >> 24 == 1;
  fields.skip(is_long ? 16 : 8);
  head.timescale = fields.u32();
  if (fields.broken() || head.timescale == 0 || head.tkhd_tail.empty()) return broken_init();
  return head;
}

/// The entries of all inits' stsd, each once.
struct Descriptions {
  std::string bytes;
  std::uint32_t count = 0;
  std::vector<std::uint32_t> of_init;
};

Result<Descriptions> read_descriptions(const std::vector<std::string>& inits) {
  constexpr std::size_t stsd_head_bytes = 8;
  Descriptions found;
  std::vector<std::string_view> known;
  for (const std::string& init : inits) {
    auto stsd = find_box(init, "moov/trak/mdia/minf/stbl/stsd");
    if (!stsd || stsd->payload.size() <= stsd_head_bytes) return broken_init();
    std::string_view entry = stsd->payload.substr(stsd_head_bytes);
    auto at = std::ranges::find(known, entry) - known.begin();
    if (at == static_cast<std::ptrdiff_t>(known.size())) {
      known.push_back(entry);
      found.bytes += entry;
    }
    found.of_init.push_back(static_cast<std::uint32_t>(at));
  }
  found.count = static_cast<std::uint32_t>(known.size());
  return found;
}

/// Exact: a count of ticks over days times a million does not fit 64 bits.
std::uint64_t scaled(std::uint64_t ticks, std::uint64_t from, std::uint64_t to) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(ticks) * to + from / 2) / from);
}

struct PlannedTrack {
  Head head;
  Descriptions descriptions;
  SampleTables tables;
  std::vector<std::uint64_t> offsets;  // of its chunks, from the mdat's payload

  /// When its first sample is shown, in microseconds on the common timeline.
  std::uint64_t shown_us() const {
    auto composition = static_cast<std::uint64_t>(std::max(tables.first_composition(), 0));
    return scaled(tables.first_decode_time() + composition, head.timescale, movie_timescale);
  }
};

/// Which part of a track is shown, from `begin_us` of the common timeline on.
struct Edit {
  std::uint64_t wait_us = 0;     // nothing is shown so long
  std::uint64_t media_time = 0;  // then from here, in the track's timescale
  std::uint64_t us = 0;          // so long
};

/// `begin_us` is on the common timeline.
Edit edit_of(const PlannedTrack& track, std::uint64_t begin_us,
             const std::optional<std::uint64_t>& us_max) {
  Edit edit;
  std::uint64_t shown = track.shown_us();
  std::uint64_t timescale = track.head.timescale;
  edit.media_time = static_cast<std::uint64_t>(std::max(track.tables.first_composition(), 0));
  if (shown > begin_us) edit.wait_us = shown - begin_us;
  if (shown < begin_us) edit.media_time += scaled(begin_us - shown, movie_timescale, timescale);
  std::uint64_t first = static_cast<std::uint64_t>(std::max(track.tables.first_composition(), 0));
  std::uint64_t end = track.tables.duration() + first;
  edit.us = scaled(end - std::min(end, edit.media_time), timescale, movie_timescale);
  if (us_max) edit.us = std::min(edit.us, *us_max - std::min(*us_max, edit.wait_us));
  return edit;
}

void write_elst(BoxWriter& out, const Edit& edit) {
  constexpr std::uint64_t nothing = ~0ull;  // -1: an empty edit
  constexpr std::uint32_t rate_one = 1 << 16;
  auto edts = out.begin("edts");
  auto elst = out.begin_full("elst", 1, 0);
  out.u32(edit.wait_us > 0 ? 2 : 1);
  if (edit.wait_us > 0) {
    out.u64(edit.wait_us);
    out.u64(nothing);
    out.u32(rate_one);
  }
  out.u64(edit.us);
  out.u64(edit.media_time);
  out.u32(rate_one);
}

void write_track(BoxWriter& out, const PlannedTrack& track, std::uint32_t id, const Edit& edit,
                 const std::vector<std::uint64_t>& offsets) {
  constexpr std::uint32_t in_movie = 7;  // enabled, in the movie, in its preview
  auto trak = out.begin("trak");
  {
    auto tkhd = out.begin_full("tkhd", 1, in_movie);
    out.zeros(16);
    out.u32(id);
    out.u32(0);
    out.u64(edit.wait_us + edit.us);
    out.bytes(track.head.tkhd_tail);
  }
  write_elst(out, edit);
  auto mdia = out.begin("mdia");
  {
    auto mdhd = out.begin_full("mdhd", 1, 0);
    out.zeros(16);
    out.u32(track.head.timescale);
    out.u64(track.tables.duration());
    out.bytes(track.head.mdhd_tail);
  }
  out.bytes(track.head.hdlr);
  auto minf = out.begin("minf");
  for (std::string_view box : track.head.media_heads) out.bytes(box);
  track.tables.write(out, track.descriptions.bytes, track.descriptions.count, offsets);
}

void write_mvhd(BoxWriter& out, std::uint64_t duration_us, std::uint32_t next_track) {
  auto mvhd = out.begin_full("mvhd", 1, 0);
  out.zeros(16);
  out.u32(movie_timescale);
  out.u64(duration_us);
  out.u32(1 << 16);  // rate
  out.u16(1 << 8);   // volume
  out.zeros(10);
  for (std::uint32_t value : {1u << 16, 0u, 0u, 0u, 1u << 16, 0u, 0u, 0u, 1u << 30}) out.u32(value);
  out.zeros(24);
  out.u32(next_track);
}

/// ftyp, moov and the head of mdat, for a payload of `bytes` that begins `base` from the start.
std::string write_head(const std::vector<PlannedTrack>& tracks, std::uint64_t begin_us,
                       const std::optional<std::uint64_t>& us_max, std::uint64_t bytes,
                       std::uint64_t base) {
  std::string head;
  BoxWriter out(head);
  {
    auto ftyp = out.begin("ftyp");
    out.bytes("isom");
    out.u32(512);
    out.bytes("isomiso2mp41");
  }
  std::vector<Edit> edits;
  std::uint64_t duration_us = 0;
  for (const PlannedTrack& track : tracks) {
    edits.push_back(edit_of(track, begin_us, us_max));
    duration_us = std::max(duration_us, edits.back().wait_us + edits.back().us);
  }
  {
    auto moov = out.begin("moov");
    write_mvhd(out, duration_us, static_cast<std::uint32_t>(tracks.size() + 1));
    for (std::size_t i = 0; i < tracks.size(); ++i) {
      std::vector<std::uint64_t> offsets = tracks[i].offsets;
      for (std::uint64_t& offset : offsets) offset += base;
      write_track(out, tracks[i], static_cast<std::uint32_t>(i + 1), edits[i], offsets);
    }
  }
  out.u32(1);  // its size is 64 bits long, behind the type
  out.bytes("mdat");
  out.u64(mdat_head_bytes + bytes);
  return head;
}

Result<PlannedTrack> read_track(const Track& track) {
  auto head = read_head(track.inits.front());
  if (!head) return std::unexpected(head.error());
  auto descriptions = read_descriptions(track.inits);
  if (!descriptions) return std::unexpected(descriptions.error());
  PlannedTrack planned{std::move(*head), std::move(*descriptions), {}, {}};
  for (const Chunk& chunk : track.chunks) {
    planned.tables.add(chunk.fragment, planned.descriptions.of_init.at(chunk.init));
    if (planned.tables.samples() > samples_max) return too_long();
  }
  return planned;
}

std::unexpected<Error> nothing_to_download() {
  return fail(ErrorKind::not_found, ErrorSource::client, "there is nothing to download");
}

/// When its first sample is shown, in the track's timescale.
std::uint64_t first_shown(const Track& track) {
  const Fragment& first = track.chunks.front().fragment;
  return first.decode_time +
         static_cast<std::uint64_t>(std::max(first.samples.front().composition, 0));
}

/// Trims the tracks to what is shown and needed; those of which nothing is are left out, but for
/// the first. Answers the begin of what is shown, in microseconds on the common timeline.
Result<std::uint64_t> cut_to(const Shown& shown, std::vector<Track>& tracks) {
  std::uint64_t begin_us = 0;
  std::vector<Track> kept;
  for (Track& track : tracks) {
    bool is_first = &track == &tracks.front();
    if (track.chunks.empty() && !is_first) continue;
    if (track.chunks.empty() || track.inits.empty()) return nothing_to_download();
    auto head = read_head(track.inits.front());
    if (!head) return std::unexpected(head.error());
    if (is_first)
      begin_us = scaled(first_shown(track), head->timescale, movie_timescale) + shown.skip_us;
    if (shown.us)
      trim(track, scaled(begin_us, movie_timescale, head->timescale),
           scaled(begin_us + *shown.us, movie_timescale, head->timescale));
    if (track.chunks.empty() && is_first) return nothing_to_download();
    if (!track.chunks.empty()) kept.push_back(std::move(track));
  }
  tracks = std::move(kept);
  return begin_us;
}

/// The chunks of all tracks in the order of their times, so that players need not seek.
void place_chunks(std::span<const Track> tracks, std::vector<PlannedTrack>& planned, Plan& plan) {
  std::vector<std::size_t> next(tracks.size(), 0);
  std::uint64_t at = 0;
  while (true) {
    std::optional<std::size_t> first;
    std::uint64_t first_us = 0;
    for (std::size_t i = 0; i < tracks.size(); ++i) {
      if (next[i] == tracks[i].chunks.size()) continue;
      std::uint64_t us = scaled(tracks[i].chunks[next[i]].fragment.decode_time,
                                planned[i].head.timescale, movie_timescale);
      if (first && us >= first_us) continue;
      first = i;
      first_us = us;
    }
    if (!first) break;
    const Chunk& chunk = tracks[*first].chunks[next[*first]++];
    std::uint64_t bytes = chunk.fragment.bytes();
    planned[*first].offsets.push_back(at);
    plan.pieces.push_back({at, chunk.file, chunk.offset + chunk.fragment.data_offset, bytes});
    at += bytes;
  }
  plan.length = at;
}

}  // namespace

std::unexpected<Error> too_long() {
  return fail(ErrorKind::too_large, ErrorSource::client,
              "this is too long for one file; make a clip of a part of it");
}

Result<Plan> plan_file(std::vector<Track> tracks, const Shown& shown) {
  if (tracks.empty()) return nothing_to_download();
  auto begin_us = cut_to(shown, tracks);
  if (!begin_us) return std::unexpected(begin_us.error());
  std::vector<PlannedTrack> planned;
  for (const Track& track : tracks) {
    auto read = read_track(track);
    if (!read) return std::unexpected(read.error());
    planned.push_back(std::move(*read));
  }
  Plan plan;
  place_chunks(tracks, planned, plan);
  // Its length does not depend on the numbers in it.
  std::uint64_t base = write_head(planned, *begin_us, shown.us, plan.length, 0).size();
  plan.head = write_head(planned, *begin_us, shown.us, plan.length, base);
  for (Piece& piece : plan.pieces) piece.at += base;
  plan.length += base;
  return plan;
}

Slice slice_of(const Plan& plan, std::uint64_t first, std::uint64_t length) {
  RELAY_CHECK(first <= plan.length && length <= plan.length - first);
  std::uint64_t end = first + length;
  Slice slice;
  if (first < plan.head.size()) slice.head = std::string_view(plan.head).substr(first, length);
  auto begins_behind = [](std::uint64_t at, const Piece& piece) { return at < piece.at; };
  auto from = std::upper_bound(plan.pieces.begin(), plan.pieces.end(), first, begins_behind);
  if (from != plan.pieces.begin()) --from;
  for (auto at = from; at != plan.pieces.end() && at->at < end; ++at) {
    std::uint64_t begin = std::max(first, at->at), stop = std::min(end, at->at + at->length);
    if (begin >= stop) continue;
    slice.pieces.push_back({begin, at->file, at->offset + (begin - at->at), stop - begin});
  }
  return slice;
}

}  // namespace relay::origin::download
