#include "edge/fleet_bus.hpp"

#include <algorithm>
#include <utility>

#include "common/base/log.hpp"
#include "edge/bus/address.hpp"

namespace relay::edge {
namespace {

using namespace std::chrono_literals;

// A lost member is forgotten after so many ttls.
constexpr int ttls_to_forget = 60;
constexpr std::chrono::milliseconds beat_max = 1s;
constexpr std::chrono::milliseconds retry_wait = 500ms;

/// Well within a ttl and within a purge's lease.
std::chrono::milliseconds beat_of(const Settings& settings) {
  auto beat = std::min(settings.bus_ttl / 3, beat_max);
  return settings.purge_lease.count() > 0 ? std::min(beat, settings.purge_lease / 5) : beat;
}

}  // namespace

bus::Session::Options session_options(const Settings& settings, std::function<void()> ring) {
  bus::Session::Options options;
  options.servers = bus::servers_of(settings.bus).value_or(std::vector<std::string>{});
  options.ca_file = settings.bus_ca;
  options.fleet = settings.bus_name;
  options.edge = settings.name;
  options.members_kept = ttls_to_forget * settings.bus_ttl;
  options.ring = std::move(ring);
  return options;
}

FleetBus::FleetBus(const Settings& settings, std::filesystem::path folder, PurgeStream& purges,
                   FleetSettings& fleet_settings, Hooks hooks, Metrics& metrics)
    : options_(session_options(settings, [this] { ring(); })),
      address_(bus::without_secrets(settings.bus)),
      own_key_(bus::key_of(settings.name)),
      ttl_(settings.bus_ttl),
      beat_(beat_of(settings)),
      folder_(std::move(folder)),
      purges_(purges),
      fleet_settings_(fleet_settings),
      hooks_(std::move(hooks)),
      connected_(metrics.gauge("relay_edge_bus_connected", "1 while the fleet's bus answers")),
      connects_(metrics.counter("relay_edge_bus_connects_total",
                                "connections to the fleet's bus, the first one too")),
      rejected_(metrics.counter("relay_edge_bus_rejected_total",
                                "what the bus had and is not usable", "what=\"registration\"")),
      roster_(own_member(settings), {ttl_, ttls_to_forget * ttl_},
              members_to_begin_with(settings, folder_), steady_now()),
      self_(own_member(settings)) {
  state_.address = address_;
}

FleetBus::~FleetBus() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
  bus::end_library();
}

void FleetBus::start() {
  thread_ = std::thread([this] { run(); });
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, start_wait, [&] { return tried_; });
}

void FleetBus::set_self(fleet::Member self) {
  std::lock_guard lock(mutex_);
  self_ = std::move(self);
  self_changed_ = rung_ = true;
  changed_.notify_all();
}

void FleetBus::drain() {
  fleet::Member self;
  {
    std::lock_guard lock(mutex_);
    self = self_;
  }
  self.drain = true;
  set_self(std::move(self));
}

std::chrono::milliseconds FleetBus::outage_max(std::chrono::milliseconds ttl) {
  return (ttls_to_forget - 2) * ttl;
}

FleetBus::State FleetBus::state() const {
  std::unique_lock lock(mutex_);
  State state = state_;
  lock.unlock();
  state.settings = fleet_settings_.state();
  return state;
}

bool FleetBus::ring() {
  std::lock_guard lock(mutex_);
  rung_ = true;
  changed_.notify_all();
  return state_.connected;
}

/// Until it is rung for, or stopped, which is false.
bool FleetBus::wait(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, time, [&] { return stopping_ || (rung_ && session_); });
  rung_ = false;
  return !stopping_;
}

void FleetBus::run() {
  do {
    auto done = session_ ? round() : connect();
    if (!done) lose(done.error());
    std::lock_guard lock(mutex_);
    tried_ = true;
    changed_.notify_all();
  } while (wait(session_ ? beat_ : retry_wait));
  leave();
}

Result<void> FleetBus::connect() {
  auto session = bus::Session::open(options_);
  if (!session) return std::unexpected(session.error());
  session_ = std::move(*session);
  members_seen_ = {};
  fleet_settings_.begin();
  clock_at_ = renewed_at_ = last_round_ = last_beat_ = SteadyTime::min();
  auto done = purges_.begin(*session_);
  if (done) done = round();
  if (!done) return done;
  log::info("on the fleet's bus", {log::kv("bus", address_)});
  connects_.add();
  connected_.set(1);
  said_lost_ = false;
  std::lock_guard lock(mutex_);
  state_.connected = true;
  state_.trouble.clear();
  return {};
}

void FleetBus::lose(const Error& error) {
  session_.reset();
  connected_.set(0);
  if (!std::exchange(said_lost_, true)) {
    log::warn("the fleet's bus does not answer; the members stay as last known",
              {log::kv("bus", address_), log::kv("why", error.message)});
  }
  {
    std::lock_guard lock(mutex_);
    state_.connected = false;
    state_.trouble = error.message;
  }
  tell_kept();
}

/// This edge's own purges go first, for somebody waits for them; then who is there, which is to be
/// known from after that.
Result<void> FleetBus::round() {
  SteadyTime now = steady_now();
  std::uint64_t kept = purges_.own_kept();
  if (auto followed = follow_members(now); !followed) return followed;
  publish_view(now);
  if (purges_.own_kept() != kept) tell_kept();
  if (auto followed = follow_purges(); !followed) return followed;
  last_round_ = steady_now();
  return fleet_settings_.follow(*session_);
}

/// After the registration, and soon: whoever keeps a purge there looks for registrations then, and
/// counts on those that it finds to ask no later than a ttl after (bus::Standing).
Result<void> FleetBus::follow_purges() {
  SteadyTime asked_at = steady_now();
  bool current = renewed_at_ != SteadyTime::min() && asked_at - renewed_at_ < ttl_;
  if (!current) {
    ring();
    return {};
  }
  auto whole = purges_.read(*session_, asked_at);
  if (!whole) return std::unexpected(whole.error());
  if (!*whole) ring();
  SteadyTime now = steady_now();
  {
    std::lock_guard lock(mutex_);
    state_.sequence = purges_.sequence();
  }
  if (last_beat_ != SteadyTime::min() && now - last_beat_ < beat_) return {};
  last_beat_ = now;
  auto written = purges_.write(*session_, PurgeStream::Whose::all);
  tell_kept();
  return written;
}

void FleetBus::tell_kept() {
  std::vector<bus::Standing> standings;
  {
    std::lock_guard lock(mutex_);
    standings = roster_.standings();
    state_.old_views =
        static_cast<std::uint64_t>(std::ranges::count_if(standings, &bus::Standing::old_view));
  }
  hooks_.kept(purges_.own_kept(), std::move(standings));
}

/// Best effort: without, the others lose this edge after a ttl.
void FleetBus::leave() {
  if (!session_) return;
  auto left = session_->remove_member(own_key_);
  if (!left) log::warn("left without a word", {log::kv("why", left.error().message)});
  session_.reset();
}

}  // namespace relay::edge
