#include "origin/clip/clip.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/media/date.hpp"

namespace relay::origin::clip {
namespace {

/// What all renditions have: the numbers, and their times in the first rendition.
struct Common {
  std::int64_t first = 0, last = -1;
  std::optional<std::int64_t> date_us;  // of `first`
  std::vector<std::int64_t> edges_us;   // begins of the numbers, and the end of the last

  std::int64_t end_us() const { return edges_us.back(); }
};

std::size_t index_of(const SourceRendition& rendition, std::int64_t number) {
  return static_cast<std::size_t>(number - rendition.segments.front().number);
}

std::unexpected<Error> nothing_there(const Source& source) {
  return fail(ErrorKind::conflict, ErrorSource::client,
              fmt::format("nothing of '{}' can be clipped yet", source.asset), source.growing);
}

Result<Common> common_of(const Source& source) {
  Common common;
  for (const SourceRendition& each : source.renditions) {
    if (each.segments.empty()) return nothing_there(source);
    std::int64_t first = each.segments.front().number, last = each.segments.back().number;
    bool is_lead = &each == &source.renditions.front();
    common.first = is_lead ? first : std::max(common.first, first);
    common.last = is_lead ? last : std::min(common.last, last);
  }
  if (common.last < common.first) return nothing_there(source);
  const SourceRendition& lead = source.renditions.front();
  common.date_us = source.date_us;
  for (const SourceSegment& segment : lead.segments) {
    if (segment.number < common.first && common.date_us) *common.date_us += segment.us;
    if (segment.number < common.first || segment.number > common.last) continue;
    if (common.edges_us.empty()) common.edges_us.push_back(0);
    common.edges_us.push_back(common.end_us() + segment.us);
  }
  return common;
}

std::string shown(const Common& common, std::int64_t us) {
  if (common.date_us) return media::date_text(*common.date_us + us);
  return fmt::format("{:.3f} s", static_cast<double>(us) / 1e6);
}

std::unexpected<Error> outside(const Source& source, const Common& common, std::string_view what,
                               std::int64_t us, bool may_come) {
  std::string text =
      fmt::format("{} is {}, and of '{}' there {} {} to {}", what, shown(common, us), source.asset,
                  may_come ? "is so far" : "is", shown(common, 0), shown(common, common.end_us()));
  return fail(may_come ? ErrorKind::conflict : ErrorKind::invalid, ErrorSource::client,
              std::move(text), may_come);
}

/// From the beginning of what is there.
Result<std::int64_t> place(const Source& source, const Common& common, const Moment& moment) {
  if (!moment.dated) return moment.us;
  if (!common.date_us)
    return bad_input(
        fmt::format("'{}' has no dates: give seconds from its beginning", source.asset));
  return moment.us - *common.date_us;
}

Result<void> check_length(std::int64_t length_us) {
  if (length_us >= length_us_min && length_us <= length_us_max) return {};
  return bad_input(fmt::format("a clip lasts from {} s to {} s, and this one would last {:.3f} s",
                               static_cast<double>(length_us_min) / 1e6, length_us_max / 1'000'000,
                               static_cast<double>(length_us) / 1e6));
}

Result<void> check_span(const Source& source, const Common& common, Choice& choice) {
  if (choice.end_us <= choice.start_us)
    return bad_input(fmt::format("end must be later than start: start is {}, end is {}",
                                 shown(common, choice.start_us), shown(common, choice.end_us)));
  if (choice.start_us < -slack_us || choice.start_us >= common.end_us())
    return outside(source, common, "start", choice.start_us, choice.start_us > 0 && source.growing);
  if (choice.end_us > common.end_us() + slack_us)
    return outside(source, common, "end", choice.end_us, source.growing);
  choice.start_us = std::max<std::int64_t>(choice.start_us, 0);
  choice.end_us = std::min(choice.end_us, common.end_us());
  // Of what is there: the rest of what was asked for may lie in the slack.
  return check_length(choice.end_us - choice.start_us);
}

Result<Choice> span_of(const Source& source, const Common& common, const Wish& wish) {
  Choice choice;
  choice.start_us = source.meant_from_us;
  choice.end_us = source.meant_to_us.value_or(common.end_us());
  for (auto [moment, into] :
       {std::pair(&wish.start, &choice.start_us), std::pair(&wish.end, &choice.end_us)}) {
    if (!*moment) continue;
    auto us = place(source, common, **moment);
    if (!us) return std::unexpected(us.error());
    *into = *us;
  }
  if (auto checked = check_span(source, common, choice); !checked)
    return std::unexpected(checked.error());
  return choice;
}

/// How many of the numbers a rendition does not have.
std::int64_t gaps_in(const SourceRendition& rendition, std::int64_t first, std::int64_t last) {
  auto begin = rendition.segments.begin() + static_cast<std::ptrdiff_t>(index_of(rendition, first));
  return std::count_if(begin, begin + (last - first + 1), [](auto& each) { return each.gap; });
}

/// Those that are of use: whole ones, or with `gaps` all that have anything.
Result<std::vector<std::size_t>> usable(const Source& source, std::int64_t first, std::int64_t last,
                                        bool gaps) {
  std::vector<std::size_t> found;
  bool is_whole = true, has_picture = false, wants_picture = false;
  for (std::size_t i = 0; i < source.renditions.size(); ++i) {
    const SourceRendition& each = source.renditions[i];
    std::int64_t missing = gaps_in(each, first, last);
    bool is_usable = gaps ? missing <= last - first : missing == 0;
    if (is_usable) found.push_back(i);
    is_whole = is_whole && (is_usable || each.video);
    wants_picture = wants_picture || each.video;
    has_picture = has_picture || (is_usable && each.video);
  }
  if (is_whole && has_picture == wants_picture) return found;
  return bad_input(
      gaps ? fmt::format("'{}' was never made in this time", source.asset)
           : fmt::format("'{}' has gaps in this time; a clip with them needs \"gaps\": true",
                         source.asset));
}

}  // namespace

Result<Choice> choose(const Source& source, const Wish& wish) {
  if (source.renditions.empty()) return nothing_there(source);
  auto common = common_of(source);
  if (!common) return std::unexpected(common.error());
  auto choice = span_of(source, *common, wish);
  if (!choice) return choice;
  const auto& edges = common->edges_us;
  auto first = std::ranges::upper_bound(edges, choice->start_us) - edges.begin() - 1;
  auto end = std::ranges::lower_bound(edges, choice->end_us) - edges.begin();
  auto found = usable(source, common->first + first, common->first + end - 1, wish.gaps);
  if (!found) return std::unexpected(found.error());
  choice->begin_us = edges[static_cast<std::size_t>(first)];
  choice->finish_us = edges[static_cast<std::size_t>(end)];
  if (common->date_us) choice->date_us = *common->date_us + choice->begin_us;
  for (std::size_t rendition : *found) {
    std::size_t begin = index_of(source.renditions[rendition], common->first + first);
    choice->cuts.push_back({rendition, begin, begin + static_cast<std::size_t>(end - first)});
  }
  return choice;
}

Result<Choice> choose_beginning(const Source& source, const Wish& wish, std::int64_t ahead_us_max) {
  Wish there = wish;
  there.end.reset();
  auto choice = choose(source, there);
  if (!choice || !wish.end) return choice;
  if (!choice->date_us) return nothing_there(source);
  std::int64_t source_date_us = *choice->date_us - choice->begin_us;
  std::int64_t end_us = wish.end->us - (wish.end->dated ? source_date_us : 0);
  if (end_us > choice->finish_us + ahead_us_max) return nothing_there(source);
  choice->end_us = end_us;
  if (auto fits = check_length(end_us - choice->start_us); !fits)
    return std::unexpected(fits.error());
  return choice;
}

}  // namespace relay::origin::clip
