#include "common/media/live_playlist_delta.hpp"

#include <span>
#include <utility>

#include "common/media/playlist_lines.hpp"

namespace relay::media {
namespace {

using namespace playlist_lines;

using Segment = LivePlaylistOutline::Segment;
using Segments = std::vector<Segment>;

constexpr std::int64_t delta_version = 9;  // of EXT-X-SKIP
constexpr std::string_view skip_tag = "\n#EXT-X-SKIP:";

/// How many segments lie wholly before the skip boundary.
std::size_t skippable(const LivePlaylistOutline& outline) {
  std::size_t first = outline.segments.size();
  std::int64_t behind = outline.open_us;
  while (first > 0 && behind < outline.can_skip_us)
    behind += outline.segments[--first].microseconds;
  return first;
}

/// Calls `see` with each line of text[begin, end).
template <class See>
void each_line(std::string_view text, std::size_t begin, std::size_t end, See see) {
  while (begin < end) {
    Line line = line_at(text, begin);
    begin = line.end;
    see(line, is_tag(line.text) ? tag_of(line.text).name : std::string_view());
  }
}

std::string_view whole_of(std::string_view text, const Line& line) {
  return text.substr(line.begin, line.end - line.begin);
}

/// Whether nothing stands in segments [first, end) and behind each of them but their own lines.
bool is_plain(const Segments& segments, std::size_t first, std::size_t end) {
  for (std::size_t i = first; i < end; ++i) {
    bool is_last = i + 1 == segments.size();
    if (segments[i].mixed || (!is_last && segments[i + 1].begin != segments[i].end)) return false;
  }
  return true;
}

/// Of a skipped stretch: the tags that belong to no segment.
void append_lasting(std::string& out, std::string_view text, std::size_t begin, std::size_t end) {
  each_line(text, begin, end, [&](const Line& line, std::string_view name) {
    if (!name.empty() && !is_of_segment(name)) out.append(whole_of(text, line));
  });
}

/// The head with a version that allows EXT-X-SKIP.
void append_head(std::string& out, std::string_view text, std::size_t end) {
  each_line(text, 0, end, [&](const Line& line, std::string_view name) {
    bool is_version = name == "EXT-X-VERSION";
    auto version = decimal_integer(is_version ? tag_of(line.text).value : "");
    if (version && *version < delta_version)
      out += fmt::format("#EXT-X-VERSION:{}\n", delta_version);
    else
      out.append(whole_of(text, line));
  });
}

/// A delta update taken apart.
struct Delta {
  std::string text;  // without EXT-X-SKIP
  LivePlaylistOutline outline;
  std::size_t head_bytes = 0;  // of text: what stood before EXT-X-SKIP
  std::size_t skipped = 0;
};

/// nullopt also for one that says which date ranges are gone: the whole does not.
std::optional<Delta> read_delta(std::string_view text) {
  std::size_t at = text.find(skip_tag);
  if (at == text.npos) return std::nullopt;
  Line line = line_at(text, at + 1);
  auto attributes = AttributeList::read(tag_of(line.text).value);
  if (!attributes || attributes->has("RECENTLY-REMOVED-DATERANGES")) return std::nullopt;
  auto skipped = decimal_integer(attributes->word("SKIPPED-SEGMENTS").value_or(""));
  if (!skipped || *skipped < 1) return std::nullopt;
  Delta delta{.text = std::string(text.substr(0, line.begin)),
              .head_bytes = line.begin,
              .skipped = static_cast<std::size_t>(*skipped)};
  delta.text += text.substr(line.end);
  auto outline = read_live_playlist(delta.text);
  if (!outline) return std::nullopt;
  delta.outline = std::move(*outline);
  return delta;
}

/// The lines without those of parts, which leave the playlist before their segment does.
std::string without_parts(std::string_view text, const Segment& segment) {
  std::string lines;
  each_line(text, segment.begin, segment.end, [&](const Line& line, std::string_view name) {
    if (name != "EXT-X-PART") lines.append(whole_of(text, line));
  });
  return lines;
}

/// Which of the segments that are held is the delta's first; nullopt: not all that it skips are.
std::optional<std::size_t> first_kept(const LivePlaylistOutline& had, const Delta& delta) {
  std::int64_t gone = delta.outline.media_sequence - had.media_sequence;
  std::size_t held = had.segments.size();
  if (gone < 0 || gone > static_cast<std::int64_t>(held)) return std::nullopt;
  auto first = static_cast<std::size_t>(gone);
  // One that both list tells that they are of one timeline.
  if (delta.skipped >= held - first) return std::nullopt;
  return first;
}

/// `end`: the first behind those that the delta skips.
bool is_one_timeline(std::string_view held, const LivePlaylistOutline& had, const Delta& delta,
                     std::size_t end) {
  const Segments& listed = delta.outline.segments;
  if (listed.empty() || listed.front().begin != delta.head_bytes) return false;
  for (std::size_t i = 0; i < listed.size() && end + i < had.segments.size(); ++i) {
    if (without_parts(held, had.segments[end + i]) != without_parts(delta.text, listed[i]))
      return false;
  }
  return true;
}

/// Whether segments [first, end) stand in a later version just so.
bool stands_so(const Segments& segments, std::size_t first, std::size_t end) {
  for (std::size_t i = first; i < end; ++i) {
    if (segments[i].parts > 0) return false;
  }
  return is_plain(segments, first, end);
}

/// What stands in a row of segments and counts for those behind them too.
struct Lasting {
  std::string_view first_map;  // the line, if it is the very first
  bool other = false;          // a map that is not, a key, a bit rate
  bool date = false;
};

Lasting lasting_in(std::string_view text, std::size_t begin, std::size_t end) {
  Lasting found;
  each_line(text, begin, end, [&](const Line& line, std::string_view name) {
    bool is_map = name == "EXT-X-MAP", is_first = line.begin == begin;
    if (is_map && is_first) found.first_map = whole_of(text, line);
    found.other =
        found.other || (is_map && !is_first) || name == "EXT-X-KEY" || name == "EXT-X-BITRATE";
    found.date = found.date || name == "EXT-X-PROGRAM-DATE-TIME";
  });
  return found;
}

/// What leads to segment `first` once those before it are gone: the EXT-X-MAP that stood in front
/// of them all. nullopt: more than that would have to.
std::optional<std::string_view> lead_to(std::string_view held, const Segments& segments,
                                        std::size_t first) {
  if (first == 0) return "";
  if (!is_plain(segments, 0, first)) return std::nullopt;
  Lasting gone = lasting_in(held, segments[0].begin, segments[first - 1].end);
  Lasting own = lasting_in(held, segments[first].begin, segments[first].end);
  bool needs_more = gone.other || !own.first_map.empty() || own.other || (gone.date && !own.date);
  if (needs_more) return std::nullopt;
  return gone.first_map;
}

/// Lines of text[0, end) that say the version.
std::vector<std::string_view> version_lines(std::string_view text, std::size_t end) {
  std::vector<std::string_view> lines;
  each_line(text, 0, end, [&](const Line& line, std::string_view name) {
    if (name == "EXT-X-VERSION") lines.push_back(whole_of(text, line));
  });
  return lines;
}

/// The delta's head with the version that the whole has: a delta raises it.
std::optional<std::string> head_of(std::string_view held, const LivePlaylistOutline& had,
                                   const Delta& delta) {
  auto ours = version_lines(held, had.segments.front().begin);
  auto theirs = version_lines(delta.text, delta.head_bytes);
  if (ours.size() != theirs.size() || ours.size() > 1) return std::nullopt;
  std::string head = delta.text.substr(0, delta.head_bytes);
  if (ours.empty()) return head;
  std::string raised;
  append_head(raised, ours[0], ours[0].size());
  if (raised != theirs[0]) return std::nullopt;
  auto at = static_cast<std::size_t>(theirs[0].data() - delta.text.data());
  return head.replace(at, theirs[0].size(), ours[0]);
}

/// The whole goes on with `lines`, and with the segments that began at `was` where they come from.
void append(WholePlaylist& whole, std::string_view lines, std::span<const Segment> segments,
            std::size_t was) {
  std::size_t is = whole.text.size();
  whole.text += lines;
  for (Segment segment : segments) {
    segment.begin = segment.begin - was + is;
    segment.end = segment.end - was + is;
    whole.outline.segments.push_back(segment);
  }
}

/// `kept` are of `held`, and what the delta leaves out.
WholePlaylist put_together(std::string head, std::string_view lead, std::string_view held,
                           std::span<const Segment> kept, const Delta& delta) {
  WholePlaylist whole{std::move(head), delta.outline};
  whole.outline.segments.clear();
  whole.outline.segments.reserve(kept.size() + delta.outline.segments.size());
  std::size_t begin = kept.front().begin, bytes = kept.back().end - begin;
  std::size_t lead_begin = whole.text.size();
  whole.text.reserve(lead_begin + lead.size() + bytes + delta.text.size() - delta.head_bytes);
  whole.text += lead;
  append(whole, held.substr(begin, bytes), kept, begin);
  whole.outline.segments.front().begin = lead_begin;
  append(whole, std::string_view(delta.text).substr(delta.head_bytes), delta.outline.segments,
         delta.head_bytes);
  return whole;
}

}  // namespace

std::optional<std::string> cut_delta(std::string_view text, const LivePlaylistOutline& outline) {
  if (outline.ended || outline.can_skip_us == 0) return std::nullopt;
  std::size_t skipped = skippable(outline);
  if (skipped == 0) return std::nullopt;
  std::size_t begin = outline.segments.front().begin, end = outline.segments[skipped - 1].end;
  std::string out;
  out.reserve(begin + text.size() - end + 128);
  append_head(out, text, begin);
  out += fmt::format("#EXT-X-SKIP:SKIPPED-SEGMENTS={}\n", skipped);
  if (!is_plain(outline.segments, 0, skipped)) append_lasting(out, text, begin, end);
  out.append(text.substr(end));
  return out;
}

bool is_delta(std::string_view text) {
  return text.find(skip_tag) != text.npos;
}

std::optional<WholePlaylist> merge_delta(std::string_view held, const LivePlaylistOutline& had,
                                         std::string_view delta_text) {
  auto delta = read_delta(delta_text);
  auto first = delta ? first_kept(had, *delta) : std::nullopt;
  if (!first) return std::nullopt;
  auto kept = std::span(had.segments).subspan(*first, delta->skipped);
  bool fits = stands_so(had.segments, *first, *first + kept.size()) &&
              is_one_timeline(held, had, *delta, *first + kept.size());
  auto lead = fits ? lead_to(held, had.segments, *first) : std::nullopt;
  auto head = lead ? head_of(held, had, *delta) : std::nullopt;
  if (!head) return std::nullopt;
  WholePlaylist whole = put_together(std::move(*head), *lead, held, kept, *delta);
  if (whole.text.size() > limits::playlist_bytes_max) return std::nullopt;
  return whole;
}

}  // namespace relay::media
