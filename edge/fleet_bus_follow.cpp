// What an edge learns from its fleet's bus, and says there: who the members are.
#include <utility>

#include "common/base/log.hpp"
#include "common/store/file.hpp"
#include "edge/fleet_bus.hpp"

namespace relay::edge {
namespace {

using namespace std::chrono_literals;

// Of changes that are read one by one; more, and everything is read.
constexpr std::uint64_t changes_max = 64;

std::filesystem::path members_file(const std::filesystem::path& folder) {
  return folder / "bus_members.toml";
}

}  // namespace

std::vector<fleet::Member> members_to_begin_with(const Settings& settings,
                                                 const std::filesystem::path& folder) {
  auto path = members_file(folder);
  auto text = store::read_file(path);
  auto known = text ? bus::decode_members(path.string(), *text)
                    : Result<std::vector<fleet::Member>>(settings.members);
  if (!known) {
    log::warn("the members as last known cannot be read", {log::kv("why", known.error().message)});
    return settings.members;
  }
  std::erase_if(*known, [&](const fleet::Member& each) { return each.name == settings.name; });
  known->push_back(own_member(settings));
  return *known;
}

Result<void> FleetBus::follow_members(SteadyTime now) {
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(self_changed_, false)) {
      roster_.set_self(self_);
      renewed_at_ = SteadyTime::min();
    }
    bool paused = last_round_ == SteadyTime::min() || now - last_round_ > ttl_ / 2;
    if (paused) roster_.note_pause(now);
  }
  if (renewed_at_ == SteadyTime::min() || now - renewed_at_ >= ttl_ / 3) {
    if (auto renewed = renew(now); !renewed) return renewed;
  }
  auto written = purges_.write(*session_, PurgeStream::Whose::own);
  return written ? read_members(now) : written;
}

/// The first time in a session also asks what the bus knows of this edge, and for its time.
Result<void> FleetBus::renew(SteadyTime now) {
  bool first = clock_at_ == SteadyTime::min();
  if (first) {
    auto earlier = session_->newest_of(bus::Stream::members, own_key_);
    if (!earlier) return std::unexpected(earlier.error());
    if (*earlier && !(*earlier)->removed) {
      auto registration = bus::decode_registration(own_key_, (*earlier)->text);
      std::lock_guard lock(mutex_);
      if (registration) roster_.note(own_key_, *registration, {0ms, 0ms}, now);
    }
  }
  std::string text;
  {
    std::lock_guard lock(mutex_);
    text = bus::encode(roster_.registration(now));
  }
  auto written = session_->write(bus::Stream::members, own_key_, text);
  if (!written) return std::unexpected(written.error());
  own_sequence_ = *written;
  renewed_at_ = now;
  {
    std::lock_guard lock(mutex_);
    roster_.note_registered(steady_now());
  }
  if (!first) return {};
  auto own = session_->at(bus::Stream::members, *written);
  if (!own) return std::unexpected(own.error());
  if (*own) clock_ns_ = (*own)->written_ns;
  clock_at_ = now;
  return {};
}

Result<void> FleetBus::read_members(SteadyTime now) {
  SteadyTime looked_at = steady_now();
  auto state = session_->state(bus::Stream::members);
  if (!state) return std::unexpected(state.error());
  bus::StreamState seen = std::exchange(members_seen_, *state);
  bool follows = seen.created_ns == state->created_ns && seen.last <= state->last &&
                 state->last - seen.last <= changes_max;
  auto read = follows ? read_changes(seen.last + 1, state->last, now) : read_all_members(now);
  if (!read) return read;
  looked_at_ = looked_at;
  std::lock_guard lock(mutex_);
  roster_.note_looked(looked_at);
  return {};
}

/// Written since the last look, whatever has become of the server's clock.
Result<void> FleetBus::read_changes(std::uint64_t from, std::uint64_t to, SteadyTime now) {
  bus::Age age{0ms, std::chrono::ceil<std::chrono::milliseconds>(now - looked_at_)};
  for (std::uint64_t sequence = from; sequence <= to; ++sequence) {
    auto message = session_->at(bus::Stream::members, sequence);
    if (!message) return std::unexpected(message.error());
    if (*message) take(**message, age, now);
  }
  return {};
}

/// By the server's clock, which this session has asked just now.
Result<void> FleetBus::read_all_members(SteadyTime now) {
  auto keys = session_->keys(bus::Stream::members);
  if (!keys) return std::unexpected(keys.error());
  for (const std::string& key : *keys) {
    auto message = session_->newest_of(bus::Stream::members, key);
    if (!message) return std::unexpected(message.error());
    if (!*message) continue;
    auto age = std::chrono::floor<std::chrono::milliseconds>(
        std::chrono::nanoseconds(clock_ns_ - (*message)->written_ns) + (now - clock_at_));
    take(**message, {age, age}, now);
  }
  std::lock_guard lock(mutex_);
  roster_.note_keys(*keys);
  return {};
}

void FleetBus::take(const bus::Message& message, bus::Age age, SteadyTime now) {
  if (message.removed) {
    std::lock_guard lock(mutex_);
    roster_.note_left(message.key);
    return;
  }
  auto registration = bus::decode_registration(message.key, message.text);
  if (!registration) {
    rejected_.add();
    log::warn("a registration on the bus is ignored",
              {log::kv("why", registration.error().message)});
    return;
  }
  bool others = message.key == own_key_ && message.sequence > own_sequence_;
  if (others && !std::exchange(said_doubled_, true)) {
    log::error("another edge registers under this one's name",
               {log::kv("url", registration->member.url)});
  }
  std::lock_guard lock(mutex_);
  bool fits = roster_.note(message.key, *registration, age, now);
  if (!fits) rejected_.add();
}

void FleetBus::publish_view(SteadyTime now) {
  bus::View view;
  {
    std::lock_guard lock(mutex_);
    view = roster_.view(now);
    state_.members = view.members.size();
    state_.lost = view.lost.size();
  }
  if (view == view_) return;
  view_ = std::move(view);
  renewed_at_ = SteadyTime::min();  // to say at once that it knows them
  ring();
  auto kept = store::write_atomically(members_file(folder_), bus::encode_members(view_.members));
  if (!kept) log::error("the members cannot be kept", {log::kv("why", kept.error().message)});
  hooks_.follow(view_);
}

}  // namespace relay::edge
