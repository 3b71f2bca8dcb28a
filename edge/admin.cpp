#include "edge/admin.hpp"

#include <boost/json.hpp>

#include "common/http/json_text.hpp"
#include "common/http/problem.hpp"
#include "common/http/url.hpp"
#include "common/net/whole_body.hpp"

namespace relay::edge {
namespace {

namespace json = boost::json;

constexpr std::size_t purge_body_bytes_max = 64 * 1024;
constexpr std::size_t listed_objects_max = 100;

http::Response text(std::string body) {
  return {200,
          {{"Content-Type", "text/plain; version=0.0.4"}, {"Cache-Control", "no-store"}},
          std::move(body)};
}

http::Response object(const json::object& value) {
  return {200,
          {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
          http::json_text(value) + "\n"};
}

/// The plan in force, and the sample that it was chosen by.
json::object policy_of(const policy::Forecast& forecast) {
  const policy::Plan& plan = forecast.plan;
  return {{"goal", policy::name_of(forecast.goal)},
          {"window_share", plan.window_share},
          {"size_exponent", plan.size_exponent},
          {"frequency_exponent", plan.frequency_exponent},
          {"admission_uses", plan.admission_uses},
          {"admission_worth", plan.admission_worth},
          {"memory", policy::name_of(plan.memory)},
          {"sampled_share", forecast.sampled_share},
          {"sampled_requests", forecast.sampled_requests},
          {"sampled_keys", forecast.sampled_keys}};
}

/// Null before the first request that it could be known by.
json::value known(const policy::Forecast& forecast, double figure) {
  return forecast.known ? json::value(figure) : json::value(nullptr);
}

json::object measured_of(const policy::Forecast& forecast) {
  return {{"object_hit_ratio", known(forecast, 1 - forecast.measured.object_miss)},
          {"byte_hit_ratio", known(forecast, 1 - forecast.measured.byte_miss)}};
}

/// Hit ratios that caches of other sizes would have had lately.
json::array expected_of(const policy::Forecast& forecast, std::uint64_t size_bytes) {
  json::array all;
  for (const policy::Expectation& each : forecast.expectations) {
    all.push_back({{"size", each.size},
                   {"size_bytes", each.size * static_cast<double>(size_bytes)},
                   {"object_hit_ratio", known(forecast, 1 - each.object_miss)},
                   {"object_error", known(forecast, each.object_error)},
                   {"byte_hit_ratio", known(forecast, 1 - each.byte_miss)},
                   {"byte_error", known(forecast, each.byte_error)}});
  }
  return all;
}

/// What the bus says for all edges.
json::object settings_of(const FleetSettings::State& state) {
  json::object settings = {{"sequence", state.sequence}, {"newest", state.newest}};
  if (!state.refused.empty()) settings["refused"] = state.refused;
  return settings;
}

/// What is in force here, and who says so.
json::object in_force(const std::vector<LiveSetting>& settings) {
  json::object all;
  for (const LiveSetting& each : settings) {
    all[each.key] =
        json::object{{"value", each.value}, {"from", each.from_fleet ? "bus" : "config"}};
  }
  return all;
}

json::object bus_of(const FleetBus::State& state) {
  json::object bus = {{"address", state.address},
                      {"connected", state.connected},
                      {"members", state.members},
                      {"lost", state.lost},
                      {"old_views", state.old_views},
                      {"sequence", state.sequence},
                      {"settings", settings_of(state.settings)}};
  if (!state.connected) bus["trouble"] = state.trouble;
  return bus;
}

/// Of a large cache nobody counts: what is dead is taken away behind the answer.
json::object purge_answer(const Purge& purge, const Purger::Purged& purged,
                          const std::string& edge) {
  return {{"purged", purged.objects.value_or(0)},
          {"counted", purged.objects.has_value()},
          {"by", name(purge.by)},
          {"soft", purge.soft},
          {"scope", purge.here_only ? "edge" : "fleet"},
          {"edge", edge},
          {"number", purged.number}};
}

/// What runs between this edge and a member.
json::object line_of(const fleet::Line& line) {
  json::object told{{"asked", line.asked->load()}, {"under_way", line.under_way.load()}};
  auto p95 = line.times.p95();
  told["p95_ms"] = p95 ? json::value(static_cast<double>(p95->count()) / 1000) : json::value();
  return told;
}

/// What a member has told of itself; null when it has not, as it never does to a stranger.
json::value told_of(const std::optional<fleet::Told>& told, SteadyTime now) {
  if (!told) return nullptr;
  return json::object{{"objects", told->figures.objects},
                      {"bytes", told->figures.body_bytes},
                      {"requests_per_s", told->requests_per_s},
                      {"sent_bytes_per_s", told->sent_bytes_per_s},
                      {"seconds_ago", std::chrono::duration<double>(now - told->at).count()}};
}

}  // namespace

Admin::Admin(const Settings& settings, Edge& edge, cache::Cache& cache, fleet::Members& members,
             net::Blocking& blocking, Metrics& metrics)
    : settings_(settings),
      edge_(edge),
      cache_(cache),
      members_(members),
      blocking_(blocking),
      metrics_(metrics),
      flights_(metrics.gauge("relay_edge_flights", "upstream fetches under way")),
      flight_bytes_(metrics.gauge("relay_edge_flight_bytes", "bytes of bodies in flight")),
      purges_(metrics.counter("relay_edge_purges_total", "purges carried out")) {
}

net::Task<void> Admin::handle(net::Exchange& exchange) {
  http::Target target = http::split_target(exchange.request().target);
  bool get = exchange.request().method == "GET" || exchange.request().method == "HEAD";
  http::Response response;
  if (target.path == "/purge") {
    if (exchange.request().method == "POST") {
      response = co_await purge(exchange);
    } else {
      response = http::method_not_allowed("POST");
    }
  } else if (!get) {
    response = http::method_not_allowed("GET, HEAD");
  } else if (target.path == "/metrics") {
    response = metrics();
  } else if (target.path == "/healthz") {
    response = text("ok\n");
  } else if (target.path == "/readyz") {
    response = ready();
  } else if (target.path == "/api/v1/fleet") {
    response = fleet();
  } else if (target.path == "/api/v1/cache") {
    response = cache();
  } else {
    response = http::problem(404,
                             "here are /metrics, /healthz, /readyz, /purge, /api/v1/fleet "
                             "and /api/v1/cache");
  }
  co_await exchange.respond(std::move(response));
}

http::Response Admin::metrics() {
  flights_.set(static_cast<std::int64_t>(edge_.flights().size()));
  flight_bytes_.set(static_cast<std::int64_t>(edge_.flight_memory().used()));
  return text(metrics_.exposition());
}

http::Response Admin::fleet() const {
  auto snapshot = members_.snapshot();
  cache::CacheStats stats = cache_.stats();
  std::vector<double> loads = members_.loads();
  SteadyTime now = steady_now();
  members_.note_told(settings_.name, edge_.figures(), now);
  std::size_t owners = snapshot->ring->members().size();
  json::array members;
  for (std::size_t i = 0; i < snapshot->health.size(); ++i) {
    const fleet::Member& member = snapshot->members[i];
    members.push_back({{"name", member.name},
                       {"url", member.url},
                       {"weight", member.weight},
                       {"zone", member.zone},
                       {"share", i < owners ? snapshot->ring->share(i) : 0.0},
                       {"asked_lately", i < loads.size() ? loads[i] : 0.0},
                       {"drain", member.drain},
                       {"self", member.name == settings_.name},
                       {"up", snapshot->health[i].up},
                       {"failures", snapshot->health[i].failures},
                       {"told", told_of(members_.told(member.name), now)},
                       {"line", line_of(*snapshot->lines[i])}});
  }
  json::object fleet = {{"name", settings_.name},
                        {"spread", settings_.spread},
                        {"source", bus_ ? "bus" : "config"},
                        {"members", std::move(members)},
                        {"settings", in_force(*live_.load())},
                        {"holds", {{"objects", stats.objects}, {"bytes", stats.body_bytes}}}};
  if (bus_) fleet["bus"] = bus_of(bus_->state());
  return object(fleet);
}

http::Response Admin::cache() const {
  cache::CacheStats stats = cache_.stats();
  auto forecast = cache_.forecast();
  json::array objects;
  cache_.visit(listed_objects_max, [&](const cache::Object& each) {
    objects.push_back(
        {{"key", each.key()}, {"bytes", each.body_bytes()}, {"digest", to_hex(each.digest())}});
  });
  return object({{"reading", stats.reading},
                 {"objects", stats.objects},
                 {"body_bytes", stats.body_bytes},
                 {"stored_bytes", stats.stored_bytes},
                 {"size_bytes", stats.size_bytes},
                 {"graveyard_bytes", stats.graveyard_bytes},
                 {"evictions", stats.evictions},
                 {"store_failures", stats.store_failures},
                 {"memory_bytes", stats.memory_bytes},
                 {"policy", policy_of(*forecast)},
                 {"measured", measured_of(*forecast)},
                 {"expected", expected_of(*forecast, stats.size_bytes)},
                 {"flights", edge_.flights().size()},
                 {"flight_bytes", edge_.flight_memory().used()},
                 {"some", std::move(objects)}});
}

http::Response Admin::ready() const {
  if (draining_.load()) return http::problem(503, "this edge is draining");
  if (!spread_->ready(steady_now())) {
    return http::problem(503, "this edge asks its fleet which purges it has missed");
  }
  std::string said = "ready\n";
  if (bus_ && !bus_->state().connected) {
    said += "the bus does not answer, the members are those last known\n";
  }
  if (!spread_->trusts(steady_now())) {
    said += "no majority of the fleet tells what was purged: upstream is asked about every hit\n";
  }
  return text(std::move(said));
}

/// Answers once the purge is in force and a restart can't undo it.
net::Task<http::Response> Admin::purge(net::Exchange& exchange) {
  auto body = co_await net::read_whole_body(exchange, purge_body_bytes_max);
  if (!body) co_return http::problem_of(body.error());
  auto asked = parse_purge(*body);
  if (!asked) co_return http::problem_of(asked.error());
  asked->here_only |= !bus_ && members_.alone();
  if (asked->here_only) co_return co_await purge_here(std::move(*asked));
  co_return co_await purge_fleet(std::move(*asked));
}

net::Task<http::Response> Admin::purge_here(Purge purge) {
  auto job = [&] { return edge_.purger().purge(purge); };
  auto purged = co_await net::run_blocking(blocking_, job);
  if (!purged) co_return http::problem_of(purged.error());
  purges_.add();
  co_return object(purge_answer(purge, *purged, settings_.name));
}

/// 202 (RFC 9110 15.3.3, accepted but not completed) when it is not certain that it is in force at
/// every member: it will be there before that member trusts its store again.
net::Task<http::Response> Admin::purge_fleet(Purge purge) {
  auto outcome = co_await spread_->purge(purge);
  if (!outcome) co_return http::problem_of(outcome.error());
  purges_.add();
  json::object answer = purge_answer(purge, outcome->here, settings_.name);
  answer["id"] = outcome->here.id.member + "/" + std::to_string(outcome->here.id.stamp);
  json::array members;
  for (const Receipt& receipt : outcome->receipts) {
    members.push_back({{"name", receipt.member},
                       {"state", name(receipt.state)},
                       {"ms", static_cast<double>(receipt.after.count()) / 1000}});
  }
  answer["members"] = std::move(members);
  if (bus_) answer["bus"] = outcome->kept ? "kept" : "pending";
  auto response = object(answer);
  if (!outcome->settled) response.status = 202;
  co_return response;
}

}  // namespace relay::edge
