#include "edge/purge_spread.hpp"

#include <algorithm>
#include <utility>

#include "common/base/log.hpp"
#include "common/http/problem.hpp"
#include "common/net/timer.hpp"
#include "common/net/whole_body.hpp"
#include "edge/fleet/peer_gate.hpp"

namespace relay::edge {
namespace {

using namespace std::chrono_literals;
namespace asio = net::asio;
using net::Timer;

const net::ClientDeadlines letter_deadlines{1s, 2s, 2s};
// Between two letters to one member, while this edge waits to be trusted again.
constexpr std::chrono::milliseconds eager_interval = 100ms;
// Without leases nobody is fenced, and letters only bring what was missed.
constexpr std::chrono::milliseconds calm_interval = 1s;
// Beyond a lease and flight_distrust: for members that come back just then.
constexpr std::chrono::milliseconds settle_slack = 500ms;
constexpr std::size_t waiting_max = 1'024;  // purges that wait for receipts at a time

}  // namespace

struct PurgeSpread::Line {
  Line(asio::io_context& io, std::string member, net::Endpoint endpoint, std::uint64_t confirmed)
      : member(std::move(member)), endpoint(std::move(endpoint)), timer(io), confirmed(confirmed) {}
  const std::string member;
  net::Endpoint endpoint;
  Timer timer;
  std::uint64_t confirmed;   // of this edge's purges, the newest that the member has applied, or
  bool heard = false;        // while it has not said so, where telling it begins
  SteadyTime heard_at{};     // when it said so last, and
  PurgeReceipts::Lent lent;  // what it had lent then
  bool due = true;           // a letter is to be written at once
  bool ended = false;
  bool reachable = true;  // as last seen
};

/// Somebody who waits for the receipts of a purge.
struct PurgeSpread::Waiting {
  Waiting(asio::io_context& io, PurgeReceipts receipts)
      : timer(io), receipts(std::move(receipts)) {}
  Timer timer;
  PurgeReceipts receipts;
};

PurgeSpread::PurgeSpread(asio::io_context& io, fleet::Members& members, fleet::Trust& trust,
                         const fleet::PeerKey& key, Purger& purger, PurgeHistory& history,
                         net::Blocking& blocking, Metrics& metrics)
    : io_(io),
      client_(io),
      members_(members),
      trust_(trust),
      key_(key),
      purger_(purger),
      history_(history),
      blocking_(blocking),
      told_(metrics.counter("relay_edge_purge_letters_total",
                            "letters about purges to other members", "outcome=\"answered\"")),
      failed_(metrics.counter("relay_edge_purge_letters_total", "", "outcome=\"failed\"")),
      trusting_(metrics.gauge("relay_edge_store_trusted",
                              "1 while a majority of the fleet says what was purged")),
      begun_(steady_now()) {
  note_trust();
}

PurgeSpread::~PurgeSpread() = default;

void PurgeSpread::start() {
  follow_members();
}

void PurgeSpread::use_bus(std::function<bool()> wake) {
  wake_bus_ = std::move(wake);
}

void PurgeSpread::follow_members() {
  auto snapshot = members_.snapshot();
  // Those that drain own no keys, but serve what they hold.
  auto members = std::span<const fleet::Member>(snapshot->members).first(snapshot->listed);
  std::vector<std::string> names;
  for (const fleet::Member& member : members) names.push_back(member.name);
  trust_.replace(names);
  follow(members);
}

void PurgeSpread::follow(std::span<const fleet::Member> members) {
  if (stopping_) return;
  std::vector<std::shared_ptr<Line>> lines;
  for (const fleet::Member& member : members) {
    auto endpoint = net::endpoint_of(member.url);
    if (member.name == members_.self() || !endpoint) continue;
    auto known =
        std::ranges::find(lines_, member.name, [](const auto& line) { return line->member; });
    if (known != lines_.end() && !(*known)->ended) {
      (*known)->endpoint = *endpoint;
      lines.push_back(*known);
      continue;
    }
    std::uint64_t own = history_.reached(members_.self());
    lines.push_back(std::make_shared<Line>(io_, member.name, *endpoint, own));
    net::spawn(io_, run(lines.back()));
  }
  lines_.swap(lines);
  for (const std::shared_ptr<Line>& line : lines) {
    if (std::ranges::find(lines_, line) != lines_.end()) continue;
    line->ended = true;
    line->timer.cancel();
  }
  note_trust();
}

void PurgeSpread::stop() {
  stopping_ = true;
  for (const std::shared_ptr<Line>& line : lines_) line->timer.cancel();
  for (const std::shared_ptr<Waiting>& waiting : waiting_) waiting->timer.cancel();
  client_.close_idle();
}

void PurgeSpread::note_streamed(std::uint64_t stamp, const std::vector<bus::Standing>& standings) {
  note_trust();
  streamed_ = stamp;
  standings_ = standings;
  for (const std::shared_ptr<Waiting>& waiting : waiting_) {
    if (waiting->receipts.stamp() > stamp) continue;
    note_streamed(*waiting);
    waiting->timer.cancel();
  }
}

void PurgeSpread::note_streamed(Waiting& waiting) {
  SteadyTime now = steady_now();
  std::vector<std::string> names;
  for (const std::shared_ptr<Line>& line : lines_) names.push_back(line->member);
  waiting.receipts.note_streamed(names, standings_, now);
  for (const std::shared_ptr<Line>& line : lines_) {
    if (!line->heard || line->confirmed < waiting.receipts.stamp()) continue;
    waiting.receipts.note_applied(line->member, line->lent, line->heard_at);
  }
}

bool PurgeSpread::ready(SteadyTime now) const {
  return trust_.holds(now) || now - begun_ >= trust_.lease();
}

void PurgeSpread::note_trust() {
  bool trusted = trust_.holds(steady_now());
  trusting_.set(trusted ? 1 : 0);
  if (trusted == std::exchange(trusted_, trusted)) return;
  if (trusted) {
    members_.note_own_return(steady_now());
    log::info("a majority of the fleet has told what was purged", {});
  } else {
    log::warn("no majority of the fleet tells what was purged: asking upstream for everything", {});
  }
}

net::Task<void> PurgeSpread::run(std::shared_ptr<Line> line) {
  while (!line->ended && !stopping_) {
    line->due = false;
    bool again = co_await exchange_letters(*line);
    note_trust();
    if (!again) co_await pause(*line);
  }
}

/// Ends early when there is something to tell.
net::Task<void> PurgeSpread::pause(Line& line) {
  if (line.due || line.ended || stopping_) co_return;
  bool lends = trust_.lease().count() > 0;
  auto interval = lends ? trust_.lease() / 5 : calm_interval;
  if (!trust_.holds(steady_now())) interval = std::min(interval, eager_interval);
  line.timer.expires_after(interval);
  co_await line.timer.async_wait(net::use_result);
}

void PurgeSpread::wake(Line& line) {
  line.due = true;
  line.timer.cancel();
}

net::Task<Result<PurgeLetter>> PurgeSpread::write(const Line& line, PurgeNews news) {
  PurgeLetter letter{members_.self(), history_.reached(), std::move(news)};
  letter.lent = trust_.lent(steady_now());
  net::ClientRequest request{"POST", std::string(purges_target), {}, encode(letter)};
  request.headers.add("Content-Type", "application/json");
  if (!key_.empty()) {
    request.headers.add(fleet::peer_field,
                        key_.sign(members_.self(), request.method,
                                  fleet::signed_of(purges_target, request.body), wall_now()));
  }
  auto response = co_await client_.send(line.endpoint, std::move(request), letter_deadlines);
  if (!response) co_return std::unexpected(response.error());
  int status = response->head().status;
  auto body = co_await net::read_whole_body(*response, letter_bytes_max);
  if (!body) co_return std::unexpected(body.error());
  if (status != 200) {
    co_return fail(ErrorKind::unavailable, ErrorSource::upstream,
                   "it answered " + std::to_string(status));
  }
  co_return decode_letter(*body);
}

/// True: there is more to say to this member at once.
net::Task<bool> PurgeSpread::exchange_letters(Line& line) {
  SteadyTime asked_at = steady_now();
  PurgeNews news = history_.missed_of_own(line.confirmed);
  bool tells_more = news.more;
  auto answer = co_await write(line, std::move(news));
  if (answer && answer->from != line.member) {
    answer = fail(ErrorKind::invalid, ErrorSource::upstream, "it calls itself " + answer->from);
  }
  (answer ? told_ : failed_).add();
  if (line.reachable != answer.has_value()) {
    line.reachable = answer.has_value();
    if (answer) log::info("a member answers again", {log::kv("member", line.member)});
    if (!answer) {
      log::warn("a member does not answer about purges",
                {log::kv("member", line.member), log::kv("why", answer.error().message)});
      for (const std::shared_ptr<Waiting>& waiting : waiting_) waiting->timer.cancel();
    }
  }
  if (!answer) co_return false;
  auto taken = co_await take(answer->news);
  if (taken && !answer->news.more) trust_.note_told(line.member, asked_at, answer->lends);
  auto reached = answer->reached.find(members_.self());
  std::uint64_t confirmed = reached == answer->reached.end() ? 0 : reached->second;
  bool moved = confirmed != line.confirmed;
  // What an older version has lent to nobody it does not say.
  confirm(line, confirmed, answer->lent.value_or(PurgeReceipts::Lent{}));
  co_return (taken && answer->news.more) || (moved && tells_more) ||
      (moved && history_.reached(members_.self()) > confirmed);
}

net::Task<Result<void>> PurgeSpread::take(const PurgeNews& news) {
  if (history_.change_of(news).empty()) co_return Result<void>{};
  auto job = [&] { return purger_.take(news); };
  auto taken = co_await net::run_blocking(blocking_, job);
  if (!taken) log::error("news of purges cannot be taken", {log::kv("why", taken.error().message)});
  co_return taken;
}

/// What the member says now counts, even if it is less than it said before: it lost its journal.
void PurgeSpread::confirm(Line& line, std::uint64_t reached, PurgeReceipts::Lent lent) {
  SteadyTime now = steady_now();
  line.confirmed = reached;
  line.heard = true;
  line.heard_at = now;
  line.lent = std::move(lent);
  for (const std::shared_ptr<Waiting>& waiting : waiting_) {
    if (waiting->receipts.stamp() > reached) continue;
    waiting->receipts.note_applied(line.member, line.lent, now);
    waiting->timer.cancel();
  }
}

/// A member wrote: it is there.
void PurgeSpread::hear(const std::string& member, std::uint64_t reached,
                       const std::optional<PurgeReceipts::Lent>& lent) {
  if (stopping_) return;
  auto at = std::ranges::find(lines_, member, [](const auto& line) { return line->member; });
  if (at == lines_.end()) return;
  Line& line = **at;
  if (lent && (!line.heard || reached > line.confirmed)) confirm(line, reached, *lent);
  if (!line.reachable || !trust_.holds(steady_now())) wake(line);
}

/// For a purge: until leases have ended, unless there is no majority that could apply it.
std::chrono::milliseconds PurgeSpread::patience() const {
  auto answering = std::ranges::count_if(lines_, [](const auto& line) { return line->reachable; });
  bool hopeless =
      !wake_bus_ && 1 + static_cast<std::size_t>(answering) < fleet::majority(lines_.size() + 1);
  auto least = fleet::flight_distrust + settle_slack;
  return hopeless ? least : trust_.lease() + least;
}

net::Task<Result<PurgeSpread::Outcome>> PurgeSpread::purge(Purge purge) {
  SteadyTime begun = steady_now();
  if (waiting_.size() >= waiting_max) {
    co_return fail(ErrorKind::unavailable, ErrorSource::internal,
                   "too many purges wait for receipts; try again", true);
  }
  auto job = [&] { return purger_.purge(purge); };
  auto here = co_await net::run_blocking(blocking_, job);
  if (!here) co_return std::unexpected(here.error());
  std::vector<std::string> names = {members_.self()};
  for (const std::shared_ptr<Line>& line : lines_) names.push_back(line->member);
  PurgeReceipts receipts(std::move(names), here->id.stamp, trust_.lease(), begun);
  auto waiting = std::make_shared<Waiting>(io_, std::move(receipts));
  SteadyTime now = steady_now();
  if (wake_bus_) waiting->receipts.await_stream();
  waiting->receipts.note_applied(members_.self(), trust_.lent(now), now);
  if (wake_bus_) {
    if (streamed_ >= here->id.stamp) note_streamed(*waiting);
  }
  waiting_.push_back(waiting);
  for (const std::shared_ptr<Line>& line : lines_) {
    if (line->heard && line->confirmed >= here->id.stamp) {
      waiting->receipts.note_applied(line->member, line->lent, line->heard_at);
    } else {
      wake(*line);
    }
  }
  auto settled = waiting->receipts.settled_at();
  while (!(settled && *settled <= now) && now < begun + patience() && !stopping_) {
    bool bus_answers = !wake_bus_ || wake_bus_();
    if (!bus_answers && waiting->receipts.all_applied()) break;
    SteadyTime deadline = begun + patience();
    waiting->timer.expires_at(settled ? std::min(*settled, deadline) : deadline);
    co_await waiting->timer.async_wait(net::use_result);
    now = steady_now();
    settled = waiting->receipts.settled_at();
  }
  std::erase(waiting_, waiting);
  co_return Outcome{std::move(*here), waiting->receipts.list(now), settled && *settled <= now,
                    waiting->receipts.streamed()};
}

Result<void> PurgeSpread::check_writer(const net::Exchange& exchange,
                                       const std::string& body) const {
  auto fleet = members_.snapshot();
  return fleet::check_member(key_, exchange.peer(), exchange.request(),
                             fleet::signed_of(purges_target, body), fleet->members, wall_now());
}

net::Task<http::Response> PurgeSpread::answer(net::Exchange& exchange) {
  if (exchange.request().method != "POST") co_return http::method_not_allowed("POST");
  auto body = co_await net::read_whole_body(exchange, letter_bytes_max);
  auto allowed = body ? check_writer(exchange, *body) : std::unexpected(body.error());
  auto letter = allowed ? decode_letter(*body) : std::unexpected(allowed.error());
  if (!letter) co_return http::problem_of(letter.error());
  // News behind a gap are of no use: this edge's own question closes it.
  Result<void> taken;
  if (!history_.has_gap(letter->news)) taken = co_await take(letter->news);
  if (!taken) co_return http::problem_of(taken.error());
  // In this order: who is told less than all of a later purge has been noted before it.
  bool lends = trust_.note_telling(letter->from, steady_now());
  PurgeNews news = history_.missed(letter->reached);
  PurgeLetter reply{members_.self(), history_.reached(), std::move(news), trust_.lent(steady_now()),
                    lends && !trust_.cut_off(steady_now())};
  std::uint64_t reached = 0;
  if (auto own = letter->reached.find(members_.self()); own != letter->reached.end()) {
    reached = own->second;
  }
  asio::post(io_, [this, from = letter->from, reached, lent = std::move(letter->lent)] {
    hear(from, reached, lent);
  });
  co_return http::Response{
      200, {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}}, encode(reply)};
}

}  // namespace relay::edge
