#include "edge/purge_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/log.hpp"
#include "common/http/syntax.hpp"
#include "common/store/file.hpp"
#include "edge/bus/registration.hpp"
#include "edge/purge_letter.hpp"

namespace relay::edge {
namespace {

// Nothing is put into the stream that would fall out of it soon.
constexpr std::chrono::hours written_age_max = bus::purges_kept - std::chrono::hours(24);

// Messages that a place on disk is behind at most.
constexpr std::uint64_t place_lag_max = 100;

// What the purges of one message name: escaped in JSON it stays below the bus's own limit, 1 MiB.
constexpr std::size_t message_text_bytes = 64 << 10;
constexpr std::size_t purge_bytes = 64;  // of each, beside that

std::size_t bytes_in_message(const FleetPurge& each) {
  return each.purge.text.size() + each.purge.host.size() + purge_bytes;
}

void raise(PurgeVector& vector, const PurgeVector& to) {
  for (const auto& [member, stamp] : to) {
    std::uint64_t& mine = vector[member];
    mine = std::max(mine, stamp);
  }
}

}  // namespace

std::string encode(const StreamPlace& place) {
  return fmt::format("{} {} {}\n", place.created_ns, place.sequence, place.written_ns);
}

std::optional<StreamPlace> decode_place(std::string_view text) {
  std::array<std::int64_t, 3> values{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::size_t end = text.find(i + 1 < values.size() ? ' ' : '\n');
    auto value = http::read_decimal(text.substr(0, end));
    if (end == text.npos || !value) return std::nullopt;
    values[i] = static_cast<std::int64_t>(*value);
    text.remove_prefix(end + 1);
  }
  if (!text.empty()) return std::nullopt;
  return StreamPlace{values[0], static_cast<std::uint64_t>(values[1]), values[2]};
}

bool follows(const StreamPlace& place, const bus::StreamState& stream) {
  return place.created_ns == stream.created_ns && place.sequence + 1 >= stream.first &&
         place.sequence <= stream.last;
}

std::vector<PurgeNews> in_messages(const PurgeNews& news, WallTime oldest) {
  std::vector<PurgeNews> messages;
  for (const auto& [member, reached] : news.reached) {
    PurgeNews next{{{member, stamp_of(news.after, member)}}, {}, {}, false};
    std::size_t bytes = 0;
    for (const FleetPurge& each : news.purges) {
      if (each.id.member != member) continue;
      if (each.at < oldest) {
        next.after[member] = each.id.stamp;
        continue;
      }
      if (!next.purges.empty() && bytes + bytes_in_message(each) > message_text_bytes) {
        std::uint64_t so_far = next.purges.back().id.stamp;
        next.reached[member] = so_far;
        messages.push_back(std::exchange(next, {{{member, so_far}}, {}, {}, false}));
        bytes = 0;
      }
      bytes += bytes_in_message(each);
      next.purges.push_back(each);
    }
    next.reached[member] = reached;
    if (!next.purges.empty()) messages.push_back(std::move(next));
  }
  return messages;
}

PurgeStream::PurgeStream(std::filesystem::path folder, bool holds_nothing, Purger& purger,
                         const PurgeHistory& history, fleet::Trust& trust, Metrics& metrics)
    : file_(std::move(folder) / "bus_place"),
      purger_(purger),
      history_(history),
      trust_(trust),
      replayed_(metrics.counter("relay_edge_bus_replayed_total",
                                "purges that this edge heard of from the fleet's bus first")),
      rejected_(metrics.counter("relay_edge_bus_rejected_total", "", "what=\"purge\"")),
      sequence_(metrics.gauge("relay_edge_bus_sequence",
                              "how far the bus's stream of purges has been taken")),
      holds_nothing_(holds_nothing) {
  if (auto text = store::read_file(file_)) place_ = decode_place(*text).value_or(StreamPlace{});
  written_place_ = place_;
}

Result<void> PurgeStream::begin(bus::Session& session) {
  kept_.clear();
  before_.clear();
  auto keys = session.keys(bus::Stream::purges);
  if (!keys) return std::unexpected(keys.error());
  for (const std::string& key : *keys) {
    auto message = session.newest_of(bus::Stream::purges, key);
    if (!message) return std::unexpected(message.error());
    auto letter = *message ? decode_letter((*message)->text) : bad_input("");
    if (letter) raise(kept_, letter->news.reached);
  }
  return check_place(session);
}

Result<void> PurgeStream::check_place(bus::Session& session) {
  if (place_.sequence == 0) return {};
  auto last = session.at(bus::Stream::purges, place_.sequence);
  if (!last) return std::unexpected(last.error());
  if (*last && (*last)->written_ns != place_.written_ns) place_ = {};
  return {};
}

/// A stream that does not follow on what was read here (a new one, or this edge was away for longer
/// than it remembers) may lack purges that this edge does not know: then a majority must say once
/// what there were, as in a fleet without a bus.
Result<bool> PurgeStream::read(bus::Session& session, SteadyTime asked_at) {
  auto state = session.state(bus::Stream::purges);
  if (!state) return std::unexpected(state.error());
  if (!follows(place_, *state)) {
    gap_ = !std::exchange(holds_nothing_, false);
    if (gap_) {
      log::warn("the bus's purges do not follow on what this edge knows: a majority must tell them",
                {log::kv("sequence", place_.sequence), log::kv("first", state->first)});
    }
    place_ = {state->created_ns, state->first > 0 ? state->first - 1 : 0, 0};
  }
  std::uint64_t end = std::min(state->last, place_.sequence + messages_at_a_time);
  bool well = true;
  while (well && place_.sequence < end) {
    auto message = session.at(bus::Stream::purges, place_.sequence + 1);
    if (!message) return std::unexpected(message.error());
    well = !*message || take(**message);
    if (well) ++place_.sequence;
    if (well && *message) place_.written_ns = (*message)->written_ns;
  }
  sequence_.set(static_cast<std::int64_t>(place_.sequence));
  bool whole = place_.sequence >= state->last;
  if (gap_ && whole) close_gap(asked_at);
  if (!gap_) keep_place();
  if (!gap_ && whole) trust_.note_streamed(asked_at);
  return whole || !well;
}

/// With nobody to ask, everything is taken for purged.
void PurgeStream::close_gap(SteadyTime now) {
  if (trust_.alone()) {
    auto purged = purger_.purge({.by = PurgeBy::all, .here_only = true});
    gap_ = !purged;
    if (!purged) log::error("cannot purge all", {log::kv("why", purged.error().message)});
    return;
  }
  gap_ = !trust_.told_by_majority(now);
}

/// False: the disk did not take it; again later. What no edge wrote is passed over.
bool PurgeStream::take(const bus::Message& message) {
  auto letter = decode_letter(message.text);
  if (!letter) {
    rejected_.add();
    log::error("a message among the purges on the bus is ignored",
               {log::kv("sequence", message.sequence), log::kv("why", letter.error().message)});
    return true;
  }
  std::size_t unknown = history_.change_of(letter->news).purges.size();
  auto taken = purger_.take(letter->news);
  if (!taken) {
    log::error("a purge of the bus cannot be taken", {log::kv("why", taken.error().message)});
    return false;
  }
  replayed_.add(unknown);
  raise(kept_, letter->news.reached);
  return true;
}

/// Of others only what they had a while to put there themselves.
Result<void> PurgeStream::write(bus::Session& session, Whose whose) {
  const std::string& self = history_.self();
  PurgeVector known = history_.reached();
  PurgeVector due;
  if (whose == Whose::all) due = std::exchange(before_, known);
  due[self] = stamp_of(known, self);
  for (const auto& [member, stamp] : due) {
    while (stamp_of(kept_, member) < stamp) {
      auto written = write_some(session, member);
      if (!written) return written;
    }
  }
  return {};
}

/// The next of a member's purges that are missing there, at least one.
Result<void> PurgeStream::write_some(bus::Session& session, const std::string& member) {
  PurgeNews news = history_.missed_of(member, stamp_of(kept_, member));
  for (const PurgeNews& part : in_messages(news, wall_now() - written_age_max)) {
    auto text = encode(PurgeLetter{history_.self(), {}, part, {}});
    auto id = fmt::format("{}/{}-{}", member, stamp_of(part.after, member),
                          stamp_of(part.reached, member));
    auto written = session.write(bus::Stream::purges, bus::key_of(member), text, id);
    if (!written) return std::unexpected(written.error());
  }
  raise(kept_, news.reached);
  return {};
}

std::uint64_t PurgeStream::own_kept() const {
  return stamp_of(kept_, history_.self());
}

/// It may lag: what is known already costs little to read again.
void PurgeStream::keep_place() {
  bool near = place_.created_ns == written_place_.created_ns &&
              place_.sequence - written_place_.sequence < place_lag_max;
  if (near) return;
  auto kept = store::write_atomically(file_, encode(place_));
  if (!kept)
    log::error("the place in the bus cannot be kept", {log::kv("why", kept.error().message)});
  written_place_ = place_;
}

}  // namespace relay::edge
